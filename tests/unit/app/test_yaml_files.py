"""Whatever stands in a YAML file is read, or refused with the file, the line and the fix."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from storecrew.app.agent_files import from_files
from storecrew.app.service_files import read_services
from storecrew.app.settings import load_settings
from storecrew.app.yaml_files import MAX_BYTES, read_yaml
from storecrew.domain.errors import InvalidSettings
from support.shared_cases import shared_case

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [*{before}" + f",*{before}" * 9 + "]\n"
    for before, after in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("api: [", "line 1: "),
        ("a: 1\nb: {{ TOKEN }}", "put text that holds {{ … }} in quotes"),
        ("a: 1\nb:\n  TOKEN: {{ TOKEN }}", "line 3: "),
        ("? [a, b]\n: 1", "a key cannot be a list"),
        ("a: 1\na: 2", "line 2: a: stands there twice"),
        ("a: &x {b: 1}\nc:\n  <<: [*x, 3]", "line 3: "),
        ("a: *nothing", "line 1: "),
        ("a: !!python/object:os.system x", "line 1: "),
        ("a: !!binary é", "is not valid YAML"),
        ("a: !!timestamp [1]", "is not valid YAML"),
        ("a: !!float {b: 1}", "is not valid YAML"),
        ("a: !!set [1]", "is not valid YAML"),
        ("a: !!omap {a: 1}", "is not valid YAML"),
        ('a: {b: ["x", "\\ud83d"]}', "a.b.1: holds half a character"),
        ('a: "\\0"', "a: holds a NUL"),
        ('"\\udfff": 1', "holds half a character"),
        ("a: \x07", "is not valid YAML"),
        ("\tx: 1", "line 1: "),
        ("[" * 5000, "nested too deeply"),
        ("a: " + "{a: " * 5000, "nested too deeply"),
        (BOMB, "holds more than"),
        ("a: &a [*a]", "holds more than"),
        ("- a", "must be a mapping"),
        ("text", "must be a mapping"),
        ("#" * (MAX_BYTES + 1), "has more than"),
        ("a: 1\n--- \nb: 2", "is not valid YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_with_file_and_fix(tmp_path, text, problem):
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidSettings) as caught:
        read_yaml(path)
    assert str(path) in caught.value.problems[0]
    assert problem in caught.value.problems[0]


@pytest.mark.parametrize(
    "content", [b"a: \xff", b"\xff\xfea\x00:\x00", b"\x80" * 9, b"PK\x03\x04", b"\x00\x00\x00"]
)
def test_what_is_no_text_is_refused(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidSettings, match=r"mine\.yaml"):
        read_yaml(path)


@pytest.mark.parametrize("name", ["", "missing.yaml"])
def test_what_is_no_file_is_refused(tmp_path, name):
    with pytest.raises(InvalidSettings, match="cannot be read"):
        read_yaml(tmp_path / name)


def test_numbers_that_people_do_not_mean_as_such_stay_as_they_are_written(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "a: {mode: 0755, at: 20:00, day: 2026-01-02, zip: 01234, hex: 0x1F, big: 1_000,"
        " pin: +49, n: 10, m: -3, x: 0.5, z: 0}"
    )
    assert read_yaml(path)["a"] == {
        "mode": "0755", "at": "20:00", "day": "2026-01-02", "zip": "01234", "hex": "0x1F",
        "big": "1_000", "pin": "+49", "n": 10, "m": -3, "x": 0.5, "z": 0,
    }  # fmt: skip


def test_merged_mappings_are_read_and_a_byte_order_mark_is_none_of_it(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("\ufeffa: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n", "utf-8")
    assert read_yaml(path)["b"] == {"x": 1, "y": 3}
    mail = load_settings(config=shared_case("yaml/04-merge-storecrew.yaml"), environ={}).mail
    assert (mail.imap.host, mail.imap.folder) == ("mail.provider.example", "Orders")


def test_a_service_with_braces_is_refused_with_file_and_line(tmp_path):
    text = shared_case("yaml/04-braces.yaml").read_text("utf-8")
    (tmp_path / "reviews.yaml").write_text(text, "utf-8")
    (tmp_path / "other.yaml").write_text("id: [", "utf-8")
    with pytest.raises(InvalidSettings) as caught:
        read_services(tmp_path)
    assert len(caught.value.problems) == 2
    assert "reviews.yaml: is not valid YAML: line 4" in caught.value.problems[1]


PIECES = st.sampled_from(
    ["a", "api", "policy", ": ", ":\n  ", "\n", "- ", "[", "]", "{", "}", "{{", ", ", "&x ", "*x",
     "<<: ", "!!int ", "!!binary ", "!!set ", "!x ", "'", '"', '"\\ud800"', "0755", "20:00",
     "1e999", ".nan", "null", "~", "? ", "|\n ", "> ", "#", "\t", "---\n", "...", "%YAML 9", "é"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_text_is_settings_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "storecrew.yaml"
    path.write_text(text, "utf-8", errors="surrogatepass")
    reads = (
        lambda: load_settings(config=path, environ={}, directory=tmp_path),
        lambda: read_services(tmp_path),
        lambda: from_files(tmp_path, "EUR", None, None),  # type: ignore[arg-type]
    )
    for read in reads:
        try:
            read()
        except InvalidSettings:
            continue
