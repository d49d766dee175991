"""Arguments of the command line are text that can be stored and shown, or are refused."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from storecrew.cli.inventory import read_levels
from storecrew.cli.main import app
from storecrew.domain.errors import InvalidInput

BAD = ["\x00", "\x1b[2J", "\x07", "\udcff", "\ud83d"]


@pytest.mark.parametrize("bad", BAD, ids=ascii)
@pytest.mark.parametrize(
    "command", [("tickets", "open"), ("goal", "set"), ("mail", "suppress"), ("products", "show")]
)
def test_an_argument_that_cannot_be_kept_is_refused_before_anything_is_read(
    command: tuple[str, ...], bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*command, f"tea{bad}"])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: argument 3: character 4 (U+")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"Tea\\u0000": 1}', "control character"),
        (b'{"Tea\\ud83d": 1}', "surrogate"),
        (b'{"Tea": 1, "Tea": 2}', "names 'Tea' twice"),
        (b'{"Tea": NaN}', "NaN"),
        (b"[" * 100_000, "nests deeper"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b'{"Tea": ' + b"9" * 5_000 + b"}", "not valid JSON"),
    ],
)
def test_a_file_of_levels_that_is_damaged_is_refused(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    file = tmp_path / "stock.json"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=problem):
        read_levels(file)
