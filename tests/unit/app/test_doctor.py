"""The production checklist: what fails, and what to do about it."""

from pathlib import Path

import pytest

from storecrew.app import doctor
from storecrew.app.doctor import DoctorFinding, HttpAnswers, Profile, examine
from storecrew.app.settings import Settings, load_settings
from storecrew.app.shop_books import open_books
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import Line, PlaceOrder

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
    "limits",
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


async def test_a_laptop_is_not_asked_for_what_a_server_needs(tmp_path: Path, timer: Path) -> None:
    alone, called = settings(tmp_path), settings(tmp_path, **GOOD)
    assert (Profile.of(alone), Profile.of(called)) == (Profile.LAPTOP, Profile.SERVER)
    findings = await examine(alone, (timer,), Profile.LAPTOP)
    assert all(each.ok for each in findings), findings
    assert {"sentry", "alerts", "api_key"}.isdisjoint(each.name for each in findings)
    assert not all(each.ok for each in await examine(alone, (timer,), Profile.SERVER))


@pytest.mark.parametrize(("limit", "ok"), [("20", False), ("30", True), ("9000000", False)])
async def test_a_limit_that_asks_always_or_never_is_named(
    tmp_path: Path, timer: Path, limit: str, ok: bool
) -> None:
    given = settings(tmp_path, STORECREW_POLICY__ORDER_VALUE_LIMIT=limit)
    async with open_books(given) as books:
        price = Money.of(25, "EUR")
        await books.store.apply(UpsertProduct(sku="A", name="A", price=price), key="p")
        await books.store.apply(SetStock(levels=(StockCount(sku="A", on_hand=99),)), key="s")
        for n in range(20):
            one = PlaceOrder(lines=(Line(sku="A", quantity=1),))
            await books.store.apply(one, key=f"o{n}")
    findings = {each.name: each for each in await examine(given, (timer,))}
    assert findings["limits"].ok is ok, findings["limits"]
