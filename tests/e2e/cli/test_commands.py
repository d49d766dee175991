"""Every command, run as the owner runs it: over a data folder, with no server."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from program import stocked

from storecrew.cli.main import app

Run = Callable[..., Any]


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for name, command in sorted(group.commands.items()):
        inner = (*path, name)
        found += commands(command, inner) if hasattr(command, "commands") else [(inner, command)]
    return found


ALL = commands(typer.main.get_command(app))


@pytest.mark.parametrize(("path", "command"), ALL, ids=lambda value: getattr(value, "name", ""))
def test_every_command_has_an_example_and_the_common_options(
    path: tuple[str, ...], command: click.Command
) -> None:
    assert "Example: " in (command.help or "")
    assert " ".join(("storecrew", *path)) in (command.help or "")
    names = {name for parameter in command.params for name in parameter.opts}
    assert "--data-dir" in names
    if path not in (("up",), ("api",), ("worker",)):  # they serve until told to stop
        assert "--json" in names


def test_an_order_goes_through_its_whole_life(shop: Run) -> None:
    stocked(shop, "Product A", "100")
    placed = shop("orders", "submit", "Product A:5", "--customer", "ada", "--json")
    assert placed["status"] == "received"
    number = str(placed["id"])
    assert shop("orders", "approve", number, "--json")["status"] == "awaiting_payment"
    shop("orders", "pay", number, "--reference", "bank-1")
    assert "awaiting_delivery" in shop("orders", "fulfil", number)
    assert "delivered" in shop("orders", "deliver", number)
    assert "returned" in shop("orders", "return", number, "--reason", "broken")
    assert shop("orders", "show", number, "--json")["status"] == "returned"
    assert "ada" in shop("orders", "show", number)
    listed = shop("orders", "list", "--status", "returned", "--json")
    assert [order["id"] for order in listed["items"]] == [placed["id"]]
    assert "returned" in shop("orders", "list")
    assert shop("verify", "--json") == {"ok": True, "problems": []}


def test_an_order_is_cancelled(shop: Run) -> None:
    stocked(shop, "Product A", "1")
    number = str(shop("orders", "submit", "Product A:1", "--json")["id"])
    assert "cancelled" in shop("orders", "cancel", number, "--reason", "twice")


def test_the_same_key_acts_once(shop: Run) -> None:
    stocked(shop, "Product A", "100")
    ids = [shop("orders", "submit", "Product A:5", "--key", "k", "--json")["id"] for _ in range(2)]
    assert ids[0] == ids[1]
    said = shop("orders", "submit", "Product A:6", "--key", "k", fails=1)
    assert "already used" in said


def test_a_product_is_created_priced_and_shown(shop: Run) -> None:
    made = shop("products", "set", "lamp", "--name", "Lamp", "--price", "9.90", "--json")
    assert (made["name"], made["price"]["amount"], made["cost"]) == ("Lamp", "9.90", None)
    shop("products", "set", "lamp", "--cost", "4.20", "--pack-size", "6", "--key", "k")
    said = shop("products", "set", "lamp", "--price", "11")
    assert "changed; it sells for 11.00 EUR" in said
    known = shop("products", "show", "lamp", "--json")
    assert (known["name"], known["cost"]["amount"], known["pack_size"]) == ("Lamp", "4.20", 6)
    assert "11.00 EUR" in shop("products", "show", "lamp")
    shop("products", "set", "fitting", "--price", "20", "--service")
    listed = shop("products", "list", "--per-page", "1", "--page", "2", "--json")
    assert ([p["sku"] for p in listed["items"]], listed["total"]) == (["lamp"], 2)
    assert "Lamp" in shop("products", "list")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("products", "set", "new"), 1, "error: --price: a new product needs one"),
        (("products", "set", "new", "--price", "x"), 1, "error: --price: 'x' is not"),
        (("products", "set", "new", "--price", "0"), 1, "error: --price: must be more"),
        (("products", "set", "new", "--price", "1.005"), 1, "error: --price: 1.005 has more"),
        (("products", "set", " ", "--price", "1"), 1, "error: sku: "),
        (("products", "show", "nothing"), 1, "error: no product with key 'nothing'"),
        (("orders", "submit", "Product A:x"), 1, "error: quantity: 'x'"),
        (("orders", "submit", "Nobody:1"), 1, "error: no product 'Nobody'"),
        (("orders", "deliver", "7"), 1, "error: no order with key 7"),
        (("orders", "list", "--status", "lost"), 1, "error: --status: 'lost' is not one of"),
        (("orders", "list", "--page", "0"), 2, "--page"),
        (("orders", "pay", "1", "--reference", "r", "--amount", "x"), 1, "error: --amount.amount"),
        (("run", "--as-of", "yesterday"), 1, "error: --as-of: 'yesterday' is no day"),
        (("run", "nobody"), 1, "error: no agent with key 'nobody'"),
        (("plan", "nobody"), 1, "error: no agent with key 'nobody'"),
        (("undo", "x@1/0"), 1, "error: no proposal with key 'x@1/0'"),
        (("approvals", "show", "x@1/0"), 1, "key 'x@1/0'"),
        (("policy", "explain", "x@1/0"), 1, "key 'x@1/0'"),
        (("approvals", "approve", "x@1/0"), 1, "key 'x@1/0'"),
        (("approvals", "approve", "x@1/0", "--change", "{"), 1, "error: --change: is not valid"),
        (("approvals", "approve", "x@1/0", "--dry-run"), 1, "error: PROPOSAL: names one question"),
        (("approvals", "reject", "x@1/0", "--agent", "a"), 1, "error: PROPOSAL: names one"),
        (("approvals", "approve", "--change", "{}"), 1, "error: --change: is for one question"),
        (("approvals", "approve"), 1, "error: PROPOSAL: name a proposal, a filter"),
        (("stock", "set", "Product A", "-1"), 2, "-1"),
        (("stock", "import", "none.json"), 1, "error: FILE: cannot be read"),
        (("import", "online-retail", "none.csv", "--until", "x"), 1, "error: --until: 'x'"),
        (("import", "online-retail", "none.csv"), 1, "none.csv"),
        (("up", "--host", "0.0.0.0"), 2, "API_KEY_ROYALGPT"),  # noqa: S104 - refused
        (("up", "--host", "no.such.host.invalid"), 2, "HOST"),
        (("verify", "--nonsense"), 2, "--nonsense"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    shop: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    assert said in shop(*arguments, fails=code)


def test_r115_stock_is_exported_and_imported_unchanged(shop: Run, tmp_path: Path) -> None:
    for product, units in (("Product A", "3"), ("Gläser", "0")):
        stocked(shop, product, units)
    shop("stock", "export", "first.json")
    stocked(shop, "Product A", "99")
    shop("stock", "import", "first.json")
    assert shop("stock", "export", "second.json", "--json")["exported"] == 2
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()
    assert {level["sku"]: level["on_hand"] for level in shop("stock", "list", "--json")} == {
        "Gläser": 0,
        "Product A": 3,
    }
    assert "Gläser" in shop("stock", "list")


@pytest.mark.parametrize(
    "content",
    ['{"Product A": 5', "{}", "[1]", '{"Product A": -1}', '{"Product A": 1.5}', '{"A": true}',
     '{"A": 1, "A": 2}'],
)  # fmt: skip
def test_r115_a_damaged_stock_file_changes_nothing(shop: Run, tmp_path: Path, content: str) -> None:
    stocked(shop, "Product A", "3")
    (tmp_path / "stock.json").write_text(content)
    assert "error: " in shop("stock", "import", "stock.json", fails=1)
    assert [level["on_hand"] for level in shop("stock", "list", "--json")] == [3]


def test_the_crew_is_woken_once(shop: Run) -> None:
    stocked(shop, "Product A", "100")
    shop("orders", "submit", "Product A:5")
    summary = shop("run", "--once", "--json")
    counts = {"runs", "proposals", "applied", "asked", "denied", "refused"}
    assert summary.keys() == counts | {"failed"}
    assert summary["runs"] > 0
    assert "0 runs made" not in shop("run", "pricing_optimizer")
    assert shop("plan", "--json") == []
    assert "0 proposals" in shop("plan")
    entries = shop("audit", "--json")
    assert entries["total"] == len(entries["items"]) > 0
    assert "recorded" in shop("audit")
    [asked] = shop("approvals", "list", "--json")
    assert asked["filed"]["proposal"]["action"]["type"] == "ApproveOrder"
    assert "1 waiting" in shop("approvals", "list")
    said = shop("policy", "explain", asked["filed"]["id"], "--json")
    assert said["decided"] == said["now"]["decision"] | {"verdict": said["decided"]["verdict"]}
    assert "limits, in place of ask" in said["now"]["changes"][0]
    assert "it would take: policy.autonomy" in shop("policy", "explain", asked["filed"]["id"])


def test_a_new_agent_works_passes_its_test_and_goes_on_duty(
    shop: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shop("agents", "new", "thrifty_pricing", "--json")
    assert "there already" in shop("agents", "new", "thrifty_pricing", fails=1)
    assert "small letters" in shop("agents", "new", "Thrifty!", fails=1)

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", made["test"]]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout
    assert "2 passed" in tried.stdout

    (tmp_path / "storecrew.yaml").write_text(made["settings"])
    monkeypatch.syspath_prepend(tmp_path / "my_agents")
    listed = {
        one["agent"]: one["allowed_actions"] for one in shop("agents", "list", "--json")["agents"]
    }
    assert listed["thrifty_pricing"] == "SetPrice"
    assert "inventory" in shop("agents", "list")


def test_the_crew_is_paused_and_resumed(shop: Run) -> None:
    assert shop("pause", "--json") == {"paused": True}
    assert "at work" in shop("resume")


def test_config_check_names_every_wrong_key(shop: Run, tmp_path: Path) -> None:
    assert "fine" in shop("config", "check")
    (tmp_path / "storecrew.yaml").write_text("api: {rate_limt: 1}\nstore: {currency: euro}")
    said = shop("config", "check", fails=1)
    assert "api.rate_limt" in said
    assert "store.currency" in said
    assert "api.rate_limt" in shop("orders", "list", fails=1)
    (tmp_path / "storecrew.yaml").write_text("agents: {inventry: {}, pricing_optimizer: {stp: 1}}")
    said = shop("config", "check", fails=1)
    assert "agents.inventry: is not an agent" in said
    assert "agents.pricing_optimizer.stp" in said


def test_config_show_masks_secrets(shop: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY_ROYALGPT", "hunter2")
    monkeypatch.setenv("STORECREW_API__RATE_LIMIT", "7")
    assert shop("config", "show", "--json")["api"]["rate_limit"] == 7
    assert "hunter2" not in shop("config", "show")


def test_verify_names_what_is_wrong(shop: Run, tmp_path: Path) -> None:
    import sqlite3

    stocked(shop, "Product A", "100")
    with sqlite3.connect(tmp_path / "data" / "orders.db") as damaged:
        damaged.execute("UPDATE stock SET on_hand = 99")
    damaged.close()
    assert "Product A" in shop("verify", fails=1)
