"""The commands in the documents exist, and the README's first steps work as they are written."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner
from written_steps import blocks

from storecrew.cli.main import app

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [README, *(page.read_text("utf-8") for page in sorted((ROOT / "docs").rglob("*.md")))]


def commands(text: str, program: str) -> list[str]:
    """Every line of a block, and every quoted piece of a sentence, that begins with the program."""
    lines = [line for block in blocks(text) for line in block.splitlines()]
    quoted = re.findall(
        r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    return [each for each in (*lines, *quoted) if re.match(rf"({program})\b(?! is\b)", each)]


STORECREW = sorted({each for page in PAGES for each in commands(page, "storecrew")} - {"storecrew"})


@pytest.mark.parametrize("line", [c for c in STORECREW if not c.startswith("storecrew.")])
def test_every_command_in_the_documents_exists(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("--"):
        command = command.commands[words.pop(0)]
    command.make_context("storecrew", words, resilient_parsing=True)
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert [word for word in words if word.startswith("--") and word not in options] == []


def test_every_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {command.split()[1] for page in PAGES for command in commands(page, "make")}
    assert {"demo", "test"} <= named <= targets


def test_r188_readme_commands_run_over_http(server: subprocess.Popen[bytes], port: int) -> None:
    (steps,) = [block for block in blocks(README) if block.startswith("B=")]
    opening, *lines = steps.replace("127.0.0.1:8000", f"127.0.0.1:{port}").splitlines()
    for line in lines:
        step = line.replace("curl", "curl --silent --show-error --fail", 1)
        subprocess.run(["bash", "-c", f"{opening}\n{step}"], check=True)
    order = httpx.get(f"http://127.0.0.1:{port}/api/orders/1").json()
    assert (order["status"], order["paid"]["amount"]) == ("delivered", "49.50")


def test_r188_readme_commands_run_in_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (steps,) = [block for block in blocks(README) if block.startswith("storecrew init --")]
    said = ""
    for line in steps.splitlines():
        result = CliRunner().invoke(app, shlex.split(line, comments=True)[1:])
        assert result.exit_code == 0, result.output
        said += result.stdout
    assert re.search(r"[12] waiting", said)  # in quiet hours the customer's letter is not asked yet
    assert re.search(r"order_management@\d+/0", said)
    assert "ApproveOrder" in said
    assert "Order 1 is awaiting_payment" in said
