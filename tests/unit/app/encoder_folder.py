"""A folder with a tiny encoder of random weights, in the layout that encoders are shared in."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storecrew.models.transformer import Plan

ABSENT = [n for n in ("safetensors", "tokenizers", "threadpoolctl") if find_spec(n) is None]
EXTRA = pytest.mark.skipif(
    bool(ABSENT), reason=f"{', '.join(ABSENT)} of the extra `meaning` not installed"
)
PLAN = Plan(
    width=32, layers=2, heads=2, inner=48, positions=40, vocabulary=90, kinds=2, epsilon=1e-12
)
CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_size": PLAN.width,
    "num_hidden_layers": PLAN.layers,
    "num_attention_heads": PLAN.heads,
    "intermediate_size": PLAN.inner,
    "max_position_embeddings": PLAN.positions,
    "vocab_size": PLAN.vocabulary,
    "type_vocab_size": PLAN.kinds,
    "hidden_act": "gelu",
    "layer_norm_eps": PLAN.epsilon,
    "position_embedding_type": "absolute",
    "torch_dtype": "float32",
}
WORDS = [
    *("where", "is", "my", "the", "parcel", "order", "refund", "money", "back", "i", "want"),
    *("engrave", "a", "name", "on", "mug", "track", "cancel", "invoice", "return", "it", "to"),
]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
VOCABULARY += [f"{head}{letter}" for letter in "abcdefghijklmnopqrstuvwxyz" for head in ("", "##")]
VOCABULARY = list(dict.fromkeys(VOCABULARY))


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: (name.endswith("Norm.weight") + rng.normal(0, 0.3, shape)).astype(np.float32)
        for name, shape in PLAN.shapes().items()
    }


def write_folder(
    folder: Path,
    *,
    seed: int = 0,
    config: dict[str, Any] | None = None,
    head: str = "",
    kind: type = np.float32,
) -> Path:
    """Write the folder; `config` changes keys (None takes one away), `head` precedes names."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder.mkdir(exist_ok=True)
    changed = {**CONFIG, **(config or {})}
    kept = {key: value for key, value in changed.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept))
    numbers = {word: n for n, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))  # noqa: S106 - no secret
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(length=30)
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {head + name: array.astype(kind) for name, array in weights(seed).items()}
    save_file(named, folder / "model.safetensors")
    return folder
