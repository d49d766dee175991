"""Sentences as vectors: the forward pass of a BERT-type encoder, from its arrays alone.

Embeddings, then layers of attention and two linear maps, each with a residual and a norm after it
(Devlin et al., 2018), then one vector per sentence (Reimers and Gurevych, 2019).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput

Floats = NDArray[np.float32]

_AT_ONCE = 2048
"""Tokens of one pass, with those that only fill up: some 50 MB for a width of 384."""
_FAR = np.float32(-1e9)
"""Added to what must not be attended to."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Sizes of an encoder."""

    width: int
    """Numbers per token, and per sentence."""
    layers: int
    heads: int
    inner: int
    """Width between the two linear maps of a layer."""
    positions: int
    """Tokens of the longest sentence."""
    vocabulary: int
    kinds: int
    """Kinds of segments; all tokens here are of the first."""
    epsilon: float
    """Added to variances."""
    pooling: Literal["mean", "cls"] = "mean"
    """Whether a sentence is the mean of its tokens, or its first one."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays that such an encoder consists of, under their usual names."""
        wide, inner = self.width, self.inner
        found: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocabulary, wide),
            "embeddings.position_embeddings.weight": (self.positions, wide),
            "embeddings.token_type_embeddings.weight": (self.kinds, wide),
        }
        maps = {
            "attention.self.query": (wide, wide),
            "attention.self.key": (wide, wide),
            "attention.self.value": (wide, wide),
            "attention.output.dense": (wide, wide),
            "intermediate.dense": (inner, wide),
            "output.dense": (wide, inner),
        }
        norms = ["embeddings.LayerNorm"]
        for n in range(self.layers):
            head = f"encoder.layer.{n}."
            for name, shape in maps.items():
                found[f"{head}{name}.weight"], found[f"{head}{name}.bias"] = shape, shape[:1]
            norms += [f"{head}attention.output.LayerNorm", f"{head}output.LayerNorm"]
        for name in norms:
            found[f"{name}.weight"] = found[f"{name}.bias"] = (wide,)
        return found


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """Turns token ids into vectors of length one; made by `of`."""

    plan: Plan
    arrays: Mapping[str, Floats]

    @classmethod
    def of(cls, plan: Plan, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the encoder; raises `InvalidInput` naming an array that is absent or odd."""
        kept = {}
        for name, shape in plan.shapes().items():
            if name not in arrays:
                raise InvalidInput(name, "is absent from the encoder's arrays")
            array = arrays[name]
            if array.shape != shape:
                raise InvalidInput(name, f"has the shape {array.shape}, not {shape}")
            if array.dtype.kind != "f" or not np.isfinite(array).all():
                raise InvalidInput(name, "must be finite numbers")
            kept[name] = np.ascontiguousarray(array, np.float32)
        return cls(plan=plan, arrays=kept)

    def encode(self, sentences: Sequence[Sequence[int]]) -> Floats:
        """Return a vector of length one per sentence; one without a token is all zeros.

        Raises `InvalidInput` for an id that is not of the vocabulary and for too long a sentence.
        """
        self._check(sentences)
        found = np.zeros((len(sentences), self.plan.width), np.float32)
        for places in _batches([len(each) for each in sentences]):
            longest = len(sentences[places[0]])
            ids = np.zeros((len(places), longest), np.int64)
            real = np.zeros((len(places), longest), np.bool_)
            for row, place in enumerate(places):
                count = len(sentences[place])
                ids[row, :count] = sentences[place]
                real[row, :count] = True
            found[places] = self._pooled(self._tokens(ids, real), real)
        return found

    def _check(self, sentences: Sequence[Sequence[int]]) -> None:
        if max(map(len, sentences), default=0) > self.plan.positions:
            raise InvalidInput("sentences", f"longer than {self.plan.positions} tokens")
        ids = [n for each in sentences for n in each]
        if ids and not 0 <= min(ids) <= max(ids) < self.plan.vocabulary:
            raise InvalidInput("sentences", f"an id is not below {self.plan.vocabulary}")

    def _tokens(self, ids: NDArray[np.int64], real: NDArray[np.bool_]) -> Floats:
        """Return a vector per token [sentences, tokens, width]."""
        place, kind = (
            self.arrays[f"embeddings.{n}_embeddings.weight"] for n in ("position", "token_type")
        )
        x = self.arrays["embeddings.word_embeddings.weight"][ids]
        x += place[: ids.shape[1]] + kind[0]
        x = self._norm("embeddings.LayerNorm", x)
        veil = np.where(real, np.float32(0), _FAR)[:, None, None, :]
        for n in range(self.plan.layers):
            head = f"encoder.layer.{n}."
            x += self._linear(f"{head}attention.output.dense", self._attended(head, x, veil))
            x = self._norm(f"{head}attention.output.LayerNorm", x)
            between = _gelu(self._linear(f"{head}intermediate.dense", x))
            x += self._linear(f"{head}output.dense", between)
            x = self._norm(f"{head}output.LayerNorm", x)
        return x

    def _attended(self, head: str, x: Floats, veil: Floats) -> Floats:
        """Return what each token takes over from the others, all heads side by side."""
        sentences, tokens, width = x.shape
        each = width // self.plan.heads

        def split(name: str) -> Floats:
            flat = self._linear(f"{head}attention.self.{name}", x)
            return flat.reshape(sentences, tokens, self.plan.heads, each).transpose(0, 2, 1, 3)

        query, key, value = split("query"), split("key"), split("value")
        weight = query @ key.transpose(0, 1, 3, 2)
        weight /= np.float32(np.sqrt(each))
        weight += veil
        weight -= weight.max(axis=-1, keepdims=True)
        np.exp(weight, out=weight)
        weight /= weight.sum(axis=-1, keepdims=True)
        found: Floats = np.matmul(weight, value).astype(np.float32, copy=False)
        return found.transpose(0, 2, 1, 3).reshape(sentences, tokens, width)

    def _linear(self, name: str, x: Floats) -> Floats:
        flat = x.reshape(-1, x.shape[-1]) @ self.arrays[f"{name}.weight"].T
        flat += self.arrays[f"{name}.bias"]
        return flat.reshape(*x.shape[:-1], -1)

    def _norm(self, name: str, x: Floats) -> Floats:
        """Return each token with mean 0 and variance 1, then scaled and moved."""
        x -= x.mean(axis=-1, keepdims=True)
        variance = np.einsum("...i,...i->...", x, x)[..., None] / np.float32(x.shape[-1])
        x /= np.sqrt(variance + np.float32(self.plan.epsilon))
        x *= self.arrays[f"{name}.weight"]
        x += self.arrays[f"{name}.bias"]
        return x

    def _pooled(self, x: Floats, real: NDArray[np.bool_]) -> Floats:
        if self.plan.pooling == "cls":
            whole = x[:, 0]
        else:
            share = real.astype(np.float32)
            share /= share.sum(axis=1, keepdims=True)
            whole = np.einsum("stw,st->sw", x, share)
        length = np.sqrt((whole**2).sum(axis=1, keepdims=True))
        found: Floats = whole / np.maximum(length, np.float32(1e-12))
        return found


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the places of sentences that go through together: the longest first, none empty."""
    order = sorted((n for n, length in enumerate(lengths) if length), key=lambda n: -lengths[n])
    while order:
        count = max(1, _AT_ONCE // lengths[order[0]])
        yield order[:count]
        order = order[count:]


def _gelu(x: Floats) -> Floats:
    """Return x·Φ(x), with the exact normal distribution."""
    from scipy.special import erf  # takes a quarter of a second to import

    share = x * np.float32(np.sqrt(0.5))
    erf(share, out=share)
    share += np.float32(1)
    share *= np.float32(0.5)
    share *= x
    return share
