"""A sentence encoder in a folder of files: `config.json`, `tokenizer.json`, `model.safetensors`.

The layout that sentence encoders of the BERT type are shared in. Files are read and checked;
nothing is downloaded, nothing in them is run.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from storecrew.domain.errors import InvalidInput
from storecrew.models.transformer import Floats, Plan, Transformer

FIELD = "models.encoder"
EXTRA = "pip install 'storecrew[meaning]'"
_MOST_TOKENS = 256
"""Tokens read of a text where the folder names no fewer: what is wanted stands at the beginning."""
_CONFIG, _TOKENIZER, _WEIGHTS = "config.json", "tokenizer.json", "model.safetensors"
_LENGTH, _POOLING = "sentence_bert_config.json", "1_Pooling/config.json"
_HEADS = ("bert.", "model.", "0.auto_model.")
"""What may stand before the names of the arrays."""

Count = Annotated[int, Ge(1)]
Shape = TypeVar("Shape", bound=BaseModel)


class _Architecture(BaseModel):
    """What `config.json` says of the encoder; further keys change nothing of the vectors."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model_type: Literal["bert"]
    hidden_size: Count
    num_hidden_layers: Count
    num_attention_heads: Count
    intermediate_size: Count
    max_position_embeddings: Count
    vocab_size: Count
    type_vocab_size: Count
    hidden_act: Literal["gelu"]
    layer_norm_eps: Annotated[float, Gt(0)] = 1e-12
    position_embedding_type: Literal["absolute"] = "absolute"
    is_decoder: Literal[False] = False

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "_Architecture":
        if self.hidden_size % self.num_attention_heads:
            raise ValueError("num_attention_heads does not divide hidden_size")
        return self


class _Length(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    max_seq_length: Count | None = None


class _Pooling(BaseModel):
    """How tokens become a sentence: exactly one way, and one that we know."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    pooling_mode_mean_tokens: bool = False
    pooling_mode_cls_token: bool = False
    pooling_mode_max_tokens: Literal[False] = False
    pooling_mode_mean_sqrt_len_tokens: Literal[False] = False
    pooling_mode_weightedmean_tokens: Literal[False] = False
    pooling_mode_lasttoken: Literal[False] = False

    @model_validator(mode="after")
    def _one_way(self) -> "_Pooling":
        if self.pooling_mode_mean_tokens == self.pooling_mode_cls_token:
            raise ValueError("one of pooling_mode_mean_tokens and pooling_mode_cls_token is true")
        return self


@dataclass(frozen=True)
class SentenceEncoder:
    """Implements `models.intents.meaning.Encoder` with the encoder of a folder."""

    transformer: Transformer
    fingerprint: str
    """SHA-256 over the files that the vectors depend on."""
    tokenizer: Any
    libraries: Any
    """What limits the threads of NumPy's linear algebra."""
    _turn: Lock = field(default_factory=Lock)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return vectors [texts, width], on one processor."""
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        ids = [self.tokenizer.encode(text).ids for text in clean]
        with self._turn, self.libraries.limit(limits=1, user_api="blas"):
            return self.transformer.encode(ids)


def read_encoder(folder: Path) -> SentenceEncoder:
    """Return the encoder of a folder; raises `InvalidInput` naming the file and what is wrong."""
    tokenizers, safetensors, threads = map(_extra, ("tokenizers", "safetensors", "threadpoolctl"))
    for name in (_CONFIG, _TOKENIZER, _WEIGHTS):
        if not (folder / name).is_file():
            raise _wrong(folder / name, "there is no such file; a folder of an encoder holds it")
    tokenizer = _tokenizer(tokenizers, folder)
    plan = _plan(folder, tokenizer.get_vocab_size())
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(_longest(folder), plan.positions))
    try:
        transformer = Transformer.of(plan, _arrays(safetensors, folder / _WEIGHTS))
    except InvalidInput as error:
        raise _wrong(folder / _WEIGHTS, str(error)) from error
    return SentenceEncoder(
        transformer, _fingerprint(folder), tokenizer, threads.ThreadpoolController()
    )


def _plan(folder: Path, words: int) -> Plan:
    found = _read(folder / _CONFIG, _Architecture)
    if words > found.vocab_size:
        raise _wrong(
            folder / _CONFIG, f"vocab_size: {found.vocab_size}, but {_TOKENIZER} has {words} tokens"
        )
    pooling = folder / _POOLING
    by_mean = not pooling.exists() or _read(pooling, _Pooling).pooling_mode_mean_tokens
    return Plan(
        width=found.hidden_size,
        layers=found.num_hidden_layers,
        heads=found.num_attention_heads,
        inner=found.intermediate_size,
        positions=found.max_position_embeddings,
        vocabulary=found.vocab_size,
        kinds=found.type_vocab_size,
        epsilon=found.layer_norm_eps,
        pooling="mean" if by_mean else "cls",
    )


def _longest(folder: Path) -> int:
    file = folder / _LENGTH
    named = _read(file, _Length).max_seq_length if file.exists() else None
    return min(named or _MOST_TOKENS, _MOST_TOKENS)


def _read(file: Path, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate_json(file.read_bytes())
    except OSError as error:
        raise _wrong(file, f"cannot be read ({error.strerror})") from error
    except ValidationError as error:
        said = "; ".join(_told(dict(each)) for each in error.errors())
        raise _wrong(file, said) from error


def _told(problem: Mapping[str, Any]) -> str:
    place = ".".join(map(str, problem["loc"]))
    given = problem.get("input")
    found = f", not {json.dumps(given)}" if isinstance(given, str | int | float) else ""
    return f"{place}: {problem['msg']}{found}" if place else str(problem["msg"])


def _tokenizer(tokenizers: Any, folder: Path) -> Any:
    file = folder / _TOKENIZER
    try:
        return tokenizers.Tokenizer.from_str(file.read_text("utf-8"))
    except OSError as error:
        raise _wrong(file, f"cannot be read ({error.strerror})") from error
    except Exception as error:  # the library raises nothing more special
        raise _wrong(file, f"is no tokenizer ({error})") from error


def _arrays(safetensors: Any, file: Path) -> dict[str, Any]:
    """Return the file's arrays under their usual names, those that we know how to read."""
    found = {}
    try:
        with safetensors.safe_open(file, framework="numpy") as opened:
            for name in opened.keys():  # noqa: SIM118 - it is no mapping
                found[_usual(name)] = opened.get_tensor(name)
    except (OSError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise InvalidInput("arrays", f"cannot be read as floating-point ({error})") from error
    return found


def _usual(name: str) -> str:
    for head in _HEADS:
        name = name.removeprefix(head)
    return name


def _fingerprint(folder: Path) -> str:
    digest = sha256()
    for name in (_CONFIG, _TOKENIZER, _WEIGHTS, _LENGTH, _POOLING):
        if (folder / name).exists():
            with (folder / name).open("rb") as file:
                digest.update(f"{name}:{file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _extra(library: str) -> Any:
    try:
        return import_module(library)
    except ImportError as error:
        raise InvalidInput(FIELD, f"{library} is absent: {EXTRA}") from error


def _wrong(file: Path, problem: str) -> InvalidInput:
    return InvalidInput(FIELD, f"{str(file)!r}: {problem}")
