"""Agents in files: on duty while their file stands there, anew when it changed, never half."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from storecrew.app.agent_files import follow_files
from storecrew.app.bootstrap import assemble
from storecrew.app.settings import load_settings
from storecrew.database import DISPOSABLE
from storecrew.domain.control.agents import AgentOrigin
from storecrew.domain.errors import AlreadyRegistered, InvalidSettings
from storecrew.domain.money import Money
from storecrew.journal import SqlJournal, open_journal
from storecrew.journal.agents import SqlAgentRepository
from storecrew.sdk import wire

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEXT = """
agent_id: restocker
endpoint: https://agents.example/restocker
token_env: RESTOCKER_TOKEN
on: [StockRanLow]
allowed_actions: [CreatePurchaseOrder]
budget: {money: 20}
"""
TOKEN = "0123456789-0123456789-0123456789"  # noqa: S105 - of this test alone


@pytest.fixture
async def book():
    journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    yield SqlAgentRepository(journal.database)
    await journal.close()


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTOCKER_TOKEN", TOKEN)
    (tmp_path / "agents.d").mkdir()
    environ = {"STORECREW_AGENTS_DIR": str(tmp_path / "agents.d")}
    return load_settings(directory=tmp_path, environ=environ)


def write(settings, text=TEXT, name="restocker.yaml"):
    (settings.agents_dir / name).write_text(text)


async def test_the_journal_follows_the_files(book, settings):
    await follow_files(book, settings, NOW)
    assert await book.registered() == []

    write(settings)
    for _ in range(2):
        await follow_files(book, settings, NOW)
    [one] = await book.registered()
    assert (one.origin, one.by) == (AgentOrigin.FILE, "file:restocker.yaml")
    assert one.token_hash == wire.token_hash(TOKEN)
    assert one.declaration.budget.money == Money.of(20, "EUR")

    write(settings, TEXT + "priority: 3\n")
    await follow_files(book, settings, NOW)
    [one] = await book.registered()
    assert one.declaration.priority == 3
    (settings.agents_dir / "restocker.yaml").unlink()
    await follow_files(book, settings, NOW)
    assert await book.registered() == []


async def test_a_folder_that_is_not_there_declares_nobody(book, tmp_path):
    settings = load_settings(directory=tmp_path, environ={})
    await follow_files(book, settings, NOW)
    assert await book.registered() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("agent_id: a", "endpoint"),
        (TEXT + "surprise: 1", "surprise"),
        (TEXT.replace("StockRanLow", "Nonsense"), "on: 'Nonsense'"),
        (TEXT.replace("https://agents.example", "http://127.0.0.1"), "public address"),
        (TEXT.replace("RESTOCKER_TOKEN", "NOBODY_SET_THIS"), "NOBODY_SET_THIS must hold"),
        ("[", "is not valid YAML"),
    ],
)
async def test_a_file_that_is_none_is_named_with_its_problem(book, settings, text, expected):
    write(settings, text)
    with pytest.raises(InvalidSettings) as caught:
        await follow_files(book, settings, NOW)
    assert "restocker.yaml" in str(caught.value)
    assert expected in str(caught.value)
    assert TOKEN not in str(caught.value)


async def test_a_file_takes_no_name_that_was_registered_otherwise(book, settings):
    write(settings)
    await follow_files(book, settings, NOW)
    [one] = await book.registered()
    await book.deregister("restocker", by="person:owner", now=NOW)
    other = replace(one.declaration, priority=9)
    await book.register(replace(one, origin=AgentOrigin.HTTP, declaration=other))
    with pytest.raises(AlreadyRegistered):
        await follow_files(book, settings, NOW)


async def test_the_settings_give_an_agent_its_budget(book, tmp_path):
    environ = {"STORECREW_AGENTS": '{"inventory": {"budget": {"runs": 7, "money": "12.5"}}}'}
    settings = load_settings(directory=tmp_path, environ=environ)
    journal = SqlJournal(book.database)
    pipeline = assemble(settings, None, journal, None)
    budget = pipeline.registry.agent("inventory").budget
    assert (budget.runs, budget.tokens, budget.money) == (7, None, Money.of("12.5", "EUR"))

    for wrong in ('{"euros": 1}', "5", '{"runs": -1}'):
        environ = {"STORECREW_AGENTS": f'{{"inventory": {{"budget": {wrong}}}}}'}
        with pytest.raises(InvalidSettings, match=r"^agents\.inventory\.budget"):
            load_settings(directory=tmp_path, environ=environ)


def test_the_defaults_about_agents_are_pinned(tmp_path):
    settings = load_settings(directory=tmp_path, environ={})
    assert str(settings.agents_dir) == "agents.d"
    assert settings.remote_agents.model_dump() == {"allow_private": False}
    assert settings.alerts.model_dump() == {
        "urls": (),
        "threshold": 5,
        "max_age_seconds": 120.0,
        "quiet_hours": "",
        "repeat_hours": 0.0,
    }
