"""What storecrew keeps is its owner's alone: modes of files, and secrets under a key outside."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from storecrew.app import Settings, load_settings
from storecrew.app.bootstrap import open_plane
from storecrew.app.doctor import _private
from storecrew.app.logging_config import configure_logs
from storecrew.app.secret_box import KEY_FILE, SecretBox, key_of_folder
from storecrew.database.private_files import make_private_file, make_private_folder
from storecrew.domain.control.agents import AgentManifest
from storecrew.domain.errors import InvalidSettings
from storecrew.journal.agents import SqlAgentRepository
from storecrew.journal.key_values import SqlKeyValues

KEY = "a-key-of-the-environment-0123456789"
TOKEN = "a-token-of-the-agent-that-is-long"  # noqa: S105 - of this test alone


@pytest.fixture(params=["022", "002", "000"])
def open_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(int(request.param, 8))
    yield
    os.umask(before)


def settings(folder: Path, **environ: str) -> Settings:
    given = {
        "STORECREW_ORCHESTRATOR__DATA_DIR": str(folder),
        "STORECREW_ORCHESTRATOR__LOG_DIR": str(folder / "logs"),
        **environ,
    }
    return load_settings(environ=given, directory=folder.parent)


def readable_by_others(folder: Path) -> list[str]:
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [folder, *folder.rglob("*")]}
    return [f"{path.name} {mode:o}" for path, mode in modes.items() if mode & 0o077]


@pytest.mark.usefixtures("open_umask")
async def test_only_the_owner_may_read_what_a_plane_writes(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with configure_logs(settings(folder)):
        async with open_plane(settings(folder), serve=True):
            assert readable_by_others(folder) == []
    assert readable_by_others(folder) == []
    assert {"orders.db", "registry.db", "engine.db", KEY_FILE} <= set(os.listdir(folder))


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize(
    "name",
    [
        "orders.db", "registry.db", "orders.db-wal", "orders.db-shm", "engine.db-journal",
        "orchestrator.pid", "secret.key", "orchestrator.log", "orchestrator.log.1", "other.db",
    ],
)  # fmt: skip
def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / name).touch()
    assert not _private(settings(folder)).ok
    make_private_folder(folder)
    assert readable_by_others(folder) == []
    assert _private(settings(folder)).ok


def test_a_folder_that_all_users_share_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    make_private_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch(0o644)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "orders.db").symlink_to(other)
    make_private_folder(folder)
    assert stat.S_IMODE(other.stat().st_mode) == 0o644


def test_a_file_that_cannot_be_made_is_left_to_who_opens_it(tmp_path: Path) -> None:
    make_private_file(tmp_path / "none" / "orders.db")
    assert not (tmp_path / "none").exists()


async def test_no_secret_stands_in_clear_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = tmp_path / "agents.d"
    agents.mkdir()
    manifest = "agent_id: far\nendpoint: http://127.0.0.1:1/\ntoken_env: FAR_TOKEN\n"
    (agents / "far.yaml").write_text(manifest)
    monkeypatch.setenv("FAR_TOKEN", TOKEN)
    own = settings(
        tmp_path / "data",
        STORECREW_AGENTS_DIR=str(agents),
        STORECREW_REMOTE_AGENTS__ALLOW_PRIVATE="true",
    )
    async with open_plane(own, serve=True) as plane:
        [registered] = await SqlAgentRepository(plane.journal.database).registered()
        secret = await SqlKeyValues(plane.journal.database).find("mail/secret")
    assert isinstance(registered.declaration, AgentManifest)
    box = SecretBox.of(own)
    assert re.fullmatch("[0-9a-f]{64}", box.decrypt(registered.signing_key))
    assert secret is not None
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("registry.db*"))
    for text in (box.decrypt(registered.signing_key), box.decrypt(secret), TOKEN):
        assert text.encode() not in kept


async def test_a_secret_of_an_earlier_version_is_encrypted_at_the_next_start(
    tmp_path: Path,
) -> None:
    own = settings(tmp_path / "data", STORECREW_SECRET_KEY=KEY)
    async with open_plane(own) as plane:
        notes = SqlKeyValues(plane.journal.database)
        await notes.keep("mail/secret", "ab" * 32)
    async with open_plane(own) as plane:
        kept = await SqlKeyValues(plane.journal.database).find("mail/secret")
    assert kept is not None
    assert kept != "ab" * 32
    assert SecretBox.of(own).decrypt(kept) == "ab" * 32
    assert not (tmp_path / "data" / KEY_FILE).exists()


def test_another_key_reads_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    sealed = SecretBox.of(settings(tmp_path, STORECREW_SECRET_KEY=KEY)).encrypt("text")
    assert SecretBox.of(settings(tmp_path, STORECREW_SECRET_KEY=KEY)).decrypt(sealed) == "text"
    other = SecretBox.of(settings(tmp_path, STORECREW_SECRET_KEY=KEY + "x"))
    with pytest.raises(InvalidSettings, match="STORECREW_SECRET_KEY"):
        other.decrypt(sealed)
    with pytest.raises(InvalidSettings, match="STORECREW_SECRET_KEY"):
        other.decrypt(sealed[:-4])


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="secret_key"):
        settings(tmp_path, STORECREW_SECRET_KEY="short")  # noqa: S106 - too short to be one


def test_the_generated_key_stays_the_same(tmp_path: Path) -> None:
    first = key_of_folder(tmp_path)
    assert (len(first) >= 32, key_of_folder(tmp_path)) == (True, first)
    assert readable_by_others(tmp_path) == []
    assert os.listdir(tmp_path) == [KEY_FILE]
