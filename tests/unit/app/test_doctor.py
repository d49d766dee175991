"""The production checklist: what fails, and what to do about it."""

from pathlib import Path

import pytest

from storecrew.app import doctor
from storecrew.app.doctor import DoctorFinding, HttpAnswers, examine
from storecrew.app.settings import Settings, load_settings

NAMES = [
    "api_key",
    "orchestration",
    "agents_scope",
    "interval",
    "health_endpoints",
    "alerts",
    "heartbeat_checks",
    "sentry",
    "protected_endpoints",
    "load",
    "private_files",
]
READY = HttpAnswers(probes={"/healthz": 200, "/readyz": 200}, strangers={"/api/orders": 401})
GOOD = {
    "API_KEY_ROYALGPT": "k" * 32,
    "SENTRY_DSN": "http://key@127.0.0.1:9/1",
    "STORECREW_ALERTS__URLS": '["json://127.0.0.1:9"]',
}


def settings(folder: Path, **environ: str) -> Settings:
    flags = {"orchestrator": {"data_dir": folder / "data"}}
    return load_settings(environ=environ, directory=folder, flags=flags)


@pytest.fixture
def timer(tmp_path: Path) -> Path:
    folder = tmp_path / "systemd"
    folder.mkdir()
    (folder / "shop.service").write_text("ExecStart=/usr/bin/storecrew health --alert\n")
    return folder


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> list[HttpAnswers]:
    said = [READY]

    async def ask(_settings: Settings) -> HttpAnswers:
        return said[-1]

    monkeypatch.setattr(doctor, "ask", ask)
    monkeypatch.setattr(doctor, "_crontab", lambda: "")
    return said


async def found(folder: Path, place: Path, **environ: str) -> dict[str, DoctorFinding]:
    return {each.name: each for each in await examine(settings(folder, **environ), (place,))}


async def test_r187_a_shop_that_is_ready_passes_everything(tmp_path: Path, timer: Path) -> None:
    findings = await found(tmp_path, timer, **GOOD)
    assert list(findings) == NAMES
    assert [name for name, each in findings.items() if not each.ok] == []
    assert "100 of 100 agents" in findings["load"].detail


async def test_r187_an_empty_shop_is_told_what_to_do(tmp_path: Path) -> None:
    findings = await found(tmp_path, tmp_path / "none")
    failing = {name for name, each in findings.items() if not each.ok}
    assert failing == {"api_key", "alerts", "heartbeat_checks", "sentry"}
    assert "API_KEY_ROYALGPT" in findings["api_key"].fix
    assert all(each.fix for each in findings.values())


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("api_key", {"API_KEY_ROYALGPT": "short"}),
        ("orchestration", {"ENABLE_ROYALGPT_ORCHESTRATION": "false"}),
        ("agents_scope", {"AUTHORIZED_AGENTS_SCOPE": "nobody"}),
        ("interval", {"ORCHESTRATOR_INTERVAL_SECONDS": "600"}),
    ],
)
async def test_r187_a_wrong_setting_fails_its_item(
    tmp_path: Path, timer: Path, name: str, environ: dict[str, str]
) -> None:
    findings = await found(tmp_path, timer, **{**GOOD, **environ})
    assert [each for each, finding in findings.items() if not finding.ok] == [name]


async def test_r187_a_server_that_is_away_or_stands_open_fails(
    tmp_path: Path, timer: Path, answers: list[HttpAnswers]
) -> None:
    answers.append(HttpAnswers(probes={"/healthz": 0}, strangers={"/api/orders": 200}))
    findings = await found(tmp_path, timer, **GOOD)
    failing = [name for name, each in findings.items() if not each.ok]
    assert failing == ["health_endpoints", "protected_endpoints"]
    assert findings["health_endpoints"].detail == "/healthz no answer"


async def test_a_key_in_the_journal_is_as_good_as_one_in_the_settings(
    tmp_path: Path, timer: Path
) -> None:
    from storecrew.app.bootstrap import open_access
    from storecrew.domain.control.access import Role

    environ = {name: value for name, value in GOOD.items() if name != "API_KEY_ROYALGPT"}
    async with open_access(settings(tmp_path)) as access:
        await access.add_key("boss", Role.ADMIN, by="person:test")
    assert (await found(tmp_path, timer, **environ))["api_key"].ok
