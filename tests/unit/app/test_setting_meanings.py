"""Every setting is checked for what it means: a wrong value of its own type is refused by name."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from datetime import time
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from storecrew.app.agent_settings import configured_agents
from storecrew.app.config_check import settings_problems
from storecrew.app.crew import CREW
from storecrew.app.settings import Settings, load_settings
from storecrew.domain.errors import InvalidSettings
from storecrew.sdk.settings import parse_settings
from support.shared_cases import shared_case

CONTROL = "a\x07b"
NEEDS = {"webhooks.shop.previous_secret": {"secret": "s" * 16}}
"""What else has to stand beside a key."""
FREE = {
    "database.path", "mail.smtp.password", "mail.imap.password", "api.api_key",
    "webhooks.shop.secret", "webhooks.shop.previous_secret",
}  # fmt: skip
"""Keys of which any text is right: secrets, and a path that is checked when it is opened."""


def leaves(kind: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key under a section, and its type."""
    inner = list(parts(kind, path))
    for name, each in inner:
        yield from leaves(each, name)
    if not inner and kind not in (type(None), bool) and not is_section(kind):
        yield path.lstrip("."), kind


def is_section(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, BaseModel) or is_dataclass(kind))


def parts(kind: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the path and type of what stands directly under a section, or in an alternative."""
    example = {".webhooks": "shop", ".agents": "pricing_optimizer"}.get(path)
    if is_section(kind):
        for name, hint in get_type_hints(kind, include_extras=True).items():
            if not name.startswith("model_"):
                yield f"{path}.{name}", hint
    elif get_origin(kind) in (Union, UnionType):
        yield from ((path, each) for each in get_args(kind))
    elif get_origin(kind) is Annotated:
        yield path, get_args(kind)[0]
    elif get_origin(kind) is dict and example:
        yield f"{path}.{example}", get_args(kind)[1]


def wrong_values(kind: Any) -> list[Any]:
    """Return values that have the type of a setting, and cannot be meant."""
    if kind in (int, float, Decimal):
        return [-(10**30), 10**30, *([float("nan"), float("inf")] if kind is not int else [])]
    if kind in (str, Path, SecretStr):
        return [CONTROL]
    if kind is time:
        return ["25:61"]
    if get_origin(kind) is Literal:
        return ["no such word"]
    if get_origin(kind) is tuple:
        return [[CONTROL]]
    if get_origin(kind) in (dict, Mapping):
        return [{CONTROL: CONTROL}]
    raise AssertionError(f"no wrong value is known for {kind}")


ALL = [
    pytest.param(key, wrong, id=f"{key}={wrong!r}")
    for key, kind in leaves(Settings)
    if key not in FREE
    for wrong in wrong_values(kind)
]


def load(folder: Path, content: Any) -> Settings:
    path = folder / "storecrew.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return load_settings(environ={}, directory=folder)


def problems_of(folder: Path, content: Any) -> list[str]:
    try:
        settings = load(folder, content)
    except InvalidSettings as error:
        return list(error.problems)
    return settings_problems(settings)


def nested(key: str, value: Any) -> dict[str, Any]:
    content = value
    for part in reversed(key.split(".")):
        content = {part: content}
    return content  # type: ignore[no-any-return]


@pytest.mark.parametrize(("key", "wrong"), ALL)
def test_a_wrong_value_of_the_right_type_is_refused_by_its_key(tmp_path, key, wrong):
    content = nested(key, wrong)
    if key in NEEDS:
        content["webhooks"]["shop"] |= NEEDS[key]
    assert any(problem.startswith(key) for problem in problems_of(tmp_path, content)), key


def test_the_settings_that_are_tried_are_all_there_are():
    tried = {key.values[0].split(".")[0] for key in ALL}
    assert tried | {"remote_agents"} == set(Settings.model_fields)


MEANINGS = [
    ("policy.zone", "Europe/Berln"), ("policy.zone", "Europe"), ("policy.zone", "../etc/passwd"),
    ("policy.zone", ""), ("policy.zone", "CET+25"), ("policy.margin_floor", 1.5),
    ("policy.margin_floor", 1), ("policy.price_change_per_day", -0.1),
    ("policy.discount_limit", 9), ("policy.messages_per_week", -1),
    ("policy.order_value_limit", -5), ("policy.refund_limit", -0.01),
    ("policy.default_autonomy", "limit"), ("policy.default_autonomy", "Auto"),
    ("policy.link_hosts", ["https://tea.example/"]), ("policy.link_hosts", ["tea.example/cart"]),
    ("policy.blocked_words", [" "]), ("policy.approval_expires_hours", 0),
    ("store.currency", "XYZ"), ("store.currency", "eur"), ("store.currency", "EURO"),
    ("store.warehouse", " "), ("alerts.quiet_hours", "99:99-25:61"),
    ("alerts.quiet_hours", "22:00"), ("alerts.quiet_hours", "22:00-22:00"),
    ("alerts.urls", ["mailto"]), ("alerts.urls", ["nosuchkind://somewhere/x"]),
    ("database.url", "mysql://root@host/shop"), ("database.url", "sqlite:///shop.db"),
    ("database.url", "postgresql://host:port/shop"), ("orchestrator.host", "http://0.0.0.0"),
    ("orchestrator.sentry_dsn", "sentry"), ("orchestrator.tls_cert", "nowhere.pem"),
    ("api.cors_origins", ["shop.example"]), ("api.cors_origins", ["https://shop.example/"]),
    ("api.authorized_agents", ["nobody"]), ("api.hosts", ["https://shop.example"]),
    ("mail.smtp.host", "https://mail.example"), ("mail.sender", "shop"),
    ("mail.public_url", "shop.example"), ("web.timeout", 0), ("web.contact", "Jürgen"),
    ("models.intent_examples_file", "nowhere.yaml"), ("agents.nobody", {"enabled": False}),
    ("agents", ["pricing", "inventory"]), ("agents.pricing_optimizer.step", 9),
    ("agents.pricing_optimizer.budget.money", -1),
    ("agents.customer_communications.zone", "Europe/Berln"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "wrong"), MEANINGS)
def test_a_value_that_means_nothing_is_refused_by_its_key(tmp_path, key, wrong):
    content = nested(key, wrong)
    if key == "orchestrator.tls_cert":
        content["orchestrator"]["tls_key"] = "nowhere.pem"
    assert any(problem.startswith(key) for problem in problems_of(tmp_path, content))


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("*.Reorderr", "limits"), ("nobody.PlaceOrder", "limits"), ("*.ApproveOrder", "limit"),
        ("PlaceOrder", "auto"), ("pricing.SetPrice", "auto"), ("*.setprice", "auto"),
        ("inventory.", "auto"), (".PlaceOrder", "auto"), ("*.*.*", "ask"), ("*.PlaceOrder", ""),
    ],
)  # fmt: skip
def test_a_line_of_autonomy_names_an_agent_an_action_and_a_word(tmp_path, line, word):
    found = problems_of(tmp_path, {"policy": {"autonomy": {line: word}}})
    assert any(problem.startswith(f"policy.autonomy.{line}") for problem in found), found


OWN = [
    pytest.param(agent, key, wrong, id=f"{agent.name}.{key}={wrong!r}")
    for agent in CREW
    for key, kind in leaves(agent.settings)
    if (agent.name, key.split(".")[0]) != ("customer_support", "paragraphs")
    for wrong in wrong_values(kind)
    if kind is not str or key == "zone"
    if not (get_origin(kind) is tuple or wrong == 10**30)
]


@pytest.mark.parametrize(("agent", "key", "wrong"), OWN)
def test_an_agent_refuses_a_wrong_value_of_its_own_settings(agent, key, wrong):
    with pytest.raises(InvalidSettings, match=f"agents.{agent.name}.{key}"):
        parse_settings(agent.settings, agent.name, {key: wrong})


def test_lines_of_autonomy_are_added_to_the_shipped_ones(tmp_path):
    shipped = load(tmp_path, {}).policy.autonomy
    lines = {"*.ApproveOrder": "limits", "*.PlaceOrder": "ask"}
    found = load(tmp_path, {"policy": {"autonomy": lines}}).policy.autonomy
    assert found == {**shipped, **lines}
    assert len(found) == len(shipped) + 1
    assert load(tmp_path, {"policy": {"autonomy": {"*.*": "watch"}}}).policy.autonomy == {
        "*.*": "watch"
    }


@pytest.mark.parametrize(
    ("case", "keys"),
    [
        (
            "02-policy-nonsense",
            "store.currency policy.order_value_limit policy.margin_floor policy.discount_limit "
            "policy.price_change_per_day policy.messages_per_week policy.default_autonomy "
            "policy.autonomy.*.Reorderr policy.autonomy.nobody.PlaceOrder policy.link_hosts.0 "
            "alerts.quiet_hours",
        ),
        ("02-zone-typo", "policy.zone"),
        ("04-merge-storecrew", ""),
        ("92-one-line-of-autonomy", ""),
    ],
)
def test_every_wrong_value_of_a_file_is_named_at_once(case, keys):
    path = shared_case(f"yaml/{case}.yaml")
    try:
        configured_agents(load_settings(config=path, environ={}, directory=path.parent / "none"))
        found = []
    except InvalidSettings as error:
        found = [problem.split(": ")[0] for problem in error.problems]
    assert sorted(found) == sorted(keys.split())
