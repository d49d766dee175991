"""`storecrew keys` and `storecrew users`, as the owner uses them."""

import json
from pathlib import Path
from typing import Any

import pytest
from program import make_books
from typer.testing import CliRunner

from storecrew.cli.main import app

PASSWORD = "a password nobody guesses"  # noqa: S105 - a test's


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    make_books()

    def run(*words: str, stdin: str = "", fails: int = 0) -> str:
        result = CliRunner().invoke(app, list(words), input=stdin)
        assert result.exit_code == fails, result.output
        return result.stderr if fails else result.stdout

    return run


def test_r040_a_key_is_shown_once_and_listed_without_it(run: Any) -> None:
    key = run("keys", "add", "dash", "--role", "viewer").strip()
    assert key.startswith("sck_")
    other = json.loads(run("keys", "add", "boss", "--role", "admin", "--json"))
    assert (other["name"], other["role"]) == ("boss", "admin")
    listed = json.loads(run("keys", "list", "--json"))
    assert [(each["name"], each["role"]) for each in listed] == [
        ("boss", "admin"),
        ("dash", "viewer"),
    ]
    assert key not in run("keys", "list")
    assert "opens nothing" in run("keys", "revoke", "dash")
    assert json.loads(run("keys", "list", "--json"))[1]["revoked_at"]
    assert "no key with key 'dash'" in run("keys", "revoke", "dash", fails=1)
    assert "choose another name" in run("keys", "add", "Dash", "--role", "viewer", fails=1)
    assert "name:" in run("keys", "add", "local", "--role", "viewer", fails=1)
    run("keys", "add", "x", "--role", "king", fails=2)


def test_r040_a_person_is_added_with_a_password_from_standard_input(run: Any) -> None:
    words = ("users", "add", "anna", "--role", "operator", "--password-stdin")
    assert "may log in as operator" in run(*words, stdin=f"{PASSWORD}\n")
    assert "choose another name" in run(*words, stdin=f"{PASSWORD}\n", fails=1)
    short = run("users", "add", "bob", "--role", "viewer", "--password-stdin", stdin="x\n", fails=1)
    assert "12 to 256 characters" in short
    asked = run("users", "add", "bob", "--role", "viewer", stdin=f"{PASSWORD}\n", fails=1)
    assert "--password-stdin" in asked
    (found,) = json.loads(run("users", "list", "--json"))
    assert (found["name"], found["role"]) == ("anna", "operator")
    assert found["created_by"].startswith("person:")
    assert PASSWORD not in run("audit", "--json")
    assert json.loads(run("users", "remove", "anna", "--json")) == {
        "name": "anna",
        "status": "removed",
    }
    assert json.loads(run("users", "list", "--json")) == []
    assert json.loads(run("verify", "--json"))["ok"]
