"""An encoder is read from its folder, or the file and the field that are wrong are named."""

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_folder import EXTRA, PLAN, VOCABULARY, weights, write_folder

from storecrew.app.encoder_files import read_encoder
from storecrew.domain.errors import InvalidInput
from storecrew.models.transformer import Plan, Transformer

pytestmark = EXTRA
TEXTS = ["Where is my parcel?", "", "refund", "I want my MONEY back!", "☃ \ud800 zzz"]


def ids(text: str) -> list[int]:
    """Return the tokens of a text of whole known words."""
    words = text.lower().replace("?", " ?").replace("!", " !").split()
    numbers = [VOCABULARY.index(word) if word in VOCABULARY else 1 for word in words]
    return [2, *numbers, 3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "encoder")


def test_texts_become_what_the_files_say(folder: Path) -> None:
    encoder = read_encoder(folder)
    by_hand = Transformer.of(PLAN, weights())

    found = encoder.encode(TEXTS)

    np.testing.assert_allclose(found[:4], by_hand.encode([ids(t) for t in TEXTS[:4]]), atol=1e-6)
    np.testing.assert_allclose((found**2).sum(axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, PLAN.width)


@pytest.mark.parametrize(("head", "kind"), [("bert.", np.float32), ("0.auto_model.", np.float64)])
def test_other_names_and_kinds_of_numbers_are_read(tmp_path: Path, head: str, kind: type) -> None:
    usual = read_encoder(write_folder(tmp_path / "usual"))
    other = read_encoder(write_folder(tmp_path / "other", head=head, kind=kind))

    np.testing.assert_allclose(other.encode(TEXTS), usual.encode(TEXTS), atol=1e-6)
    assert other.fingerprint != usual.fingerprint


def test_halved_numbers_are_read(tmp_path: Path) -> None:
    usual = read_encoder(write_folder(tmp_path / "usual"))
    halved = read_encoder(write_folder(tmp_path / "halved", kind=np.float16))

    np.testing.assert_allclose(halved.encode(TEXTS), usual.encode(TEXTS), atol=0.01)


def test_the_fingerprint_tells_encoders_apart(folder: Path, tmp_path: Path) -> None:
    again = write_folder(tmp_path / "again")
    other = write_folder(tmp_path / "other", seed=1)
    longer = write_folder(tmp_path / "longer")
    (longer / "sentence_bert_config.json").write_text('{"max_seq_length": 30}')
    marks = [read_encoder(each).fingerprint for each in (folder, again, other, longer)]

    assert marks[0] == marks[1]
    assert len(set(marks)) == 3


def test_a_long_text_is_read_to_where_the_folder_says(folder: Path) -> None:
    text = "where is my parcel " * 30
    encoder = read_encoder(folder)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 6}')
    shorter = read_encoder(folder)

    np.testing.assert_allclose(
        shorter.encode([text]), encoder.encode(["where is my parcel"]), atol=1e-6
    )
    assert abs(encoder.encode([text]) - shorter.encode([text])).max() > 1e-3


def pooled(folder: Path, **given: Any) -> Path:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(given))
    return folder


def test_a_sentence_may_be_its_first_token(folder: Path) -> None:
    encoder = read_encoder(pooled(folder, pooling_mode_cls_token=True))
    by_hand = Transformer.of(Plan(**{**vars(PLAN), "pooling": "cls"}), weights())

    np.testing.assert_allclose(
        encoder.encode(TEXTS[:1]), by_hand.encode([ids(TEXTS[0])]), atol=1e-6
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "one of pooling_mode_mean_tokens"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, "one of"),
        ({"pooling_mode_max_tokens": True}, "pooling_mode_max_tokens"),
        ({"pooling_mode_mean_tokens": "?"}, "pooling_mode_mean_tokens"),
    ],
)
def test_other_ways_to_make_a_sentence_are_refused(
    folder: Path, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"1_Pooling.*{problem}"):
        read_encoder(pooled(folder, **given))


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"model_type": "roberta"}, "model_type: .*'bert'.*roberta"),
        ({"model_type": None}, "model_type"),
        ({"hidden_act": "relu"}, "hidden_act: .*'gelu'.*relu"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ({"is_decoder": True}, "is_decoder"),
        ({"hidden_size": "wide"}, "hidden_size"),
        ({"num_hidden_layers": 0}, "num_hidden_layers"),
        ({"num_attention_heads": 3}, "num_attention_heads does not divide hidden_size"),
        ({"vocab_size": 10}, "vocab_size: 10, but"),
        ({"layer_norm_eps": -1}, "layer_norm_eps"),
    ],
)
def test_an_architecture_that_we_do_not_know_is_refused(
    tmp_path: Path, config: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"models\.encoder: .*config\.json.*{problem}"):
        read_encoder(write_folder(tmp_path / "odd", config=config))


@pytest.mark.parametrize("config", [{"num_hidden_layers": 3}, {"hidden_size": 64}])
def test_weights_of_another_size_are_refused_by_name(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match=r"model\.safetensors.*(absent|shape)"):
        read_encoder(write_folder(tmp_path / "odd", config=config))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_file_that_is_absent_or_odd_is_named(folder: Path, name: str) -> None:
    for content in (b"", b"[]", pickle.dumps({"a": print}), b"\xff" * 64):
        (folder / name).write_bytes(content)
        with pytest.raises(InvalidInput, match=rf"models\.encoder: .*{name}"):
            read_encoder(folder)
    (folder / name).unlink()
    with pytest.raises(InvalidInput, match=rf"{name}.*no such file"):
        read_encoder(folder)


def test_weights_that_were_cut_off_are_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])

    with pytest.raises(InvalidInput, match=r"model\.safetensors.*cannot be read"):
        read_encoder(folder)


@pytest.mark.parametrize("library", ["safetensors", "tokenizers", "threadpoolctl"])
def test_without_the_extra_it_says_how_to_get_it(
    folder: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(InvalidInput, match=rf"{library} is absent.*storecrew\[meaning\]"):
        read_encoder(folder)


def test_a_trained_encoder_puts_like_beside_like() -> None:
    named = os.environ.get("STORECREW_MODELS__ENCODER")
    if not named:
        pytest.skip("STORECREW_MODELS__ENCODER names no folder of a trained encoder")
    where, asks, weather = read_encoder(Path(named)).encode(
        ["Where is my parcel?", "My package has not arrived yet.", "It rains in Lisbon today."]
    )

    assert where @ asks > max(where @ weather, asks @ weather) + 0.2
