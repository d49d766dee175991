"""The settings: where they come from, which wins, and what is refused."""

import ast
import inspect
from pathlib import Path

import pytest

from storecrew.app import settings as module
from storecrew.app.settings import Section, Settings, load_settings
from storecrew.domain.errors import InvalidSettings
from storecrew.policy.settings import PolicySettings

SECTIONS = sorted(Section.__subclasses__(), key=lambda section: section.__name__)


def load(folder: Path, environ: dict[str, str] | None = None, **more: object) -> Settings:
    return load_settings(environ=environ or {}, directory=folder, **more)  # type: ignore[arg-type]


def problems(folder: Path, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(InvalidSettings) as caught:
        load(folder, environ)
    return caught.value.problems


def test_the_defaults_are_pinned(tmp_path: Path) -> None:
    settings = load(tmp_path)
    orchestrator = settings.orchestrator.model_dump(mode="json")
    assert orchestrator.pop("service_version")
    assert orchestrator == {
        "host": "127.0.0.1",
        "port": 8000,
        "log_level": "info",
        "data_dir": "data",
        "log_dir": "logs",
        "services_dir": "services",
        "interval_seconds": 10.0,
        "max_concurrent": 10,
        "enabled": True,
        "env": "development",
        "suppress_health_logs": True,
        "disable_access_log": False,
        "log_format": "text",
        "tls_cert": None,
        "tls_key": None,
        "sentry_dsn": None,
    }
    assert settings.database.model_dump() == {"url": None, "path": None}
    assert settings.api.model_dump() == {
        "api_key": None,
        "cors_origins": ("http://localhost:3000",),
        "hosts": (),
        "session_hours": 12.0,
        "authorized_agents": ("*",),
        "rate_limit": 100,
        "trusted_proxies": (),
        "max_connections": 1000,
        "max_connections_per_address": 200,
        "header_timeout": 10.0,
        "body_timeout": 60.0,
        "keep_alive_timeout": 5,
        "route_limits": {"mail": 10, "warehouse": 20, "approve": 15, "fulfilled": 10},
    }
    assert settings.store.model_dump() == {"currency": "EUR", "warehouse": "main"}
    assert settings.monitoring.model_dump() == {"interval": 30, "timeout": 10, "enabled": True}
    assert settings.recovery.model_dump() == {
        "enabled": True,
        "max_retries": 3,
        "backoff_seconds": 30,
    }
    assert settings.retention.model_dump() == {"days": 90}
    assert settings.webhooks == {}
    assert settings.policy == PolicySettings()
    assert settings.agents == {}


@pytest.mark.parametrize("section", [Settings, *SECTIONS], ids=lambda s: s.__name__)
def test_every_setting_is_documented(section: type[Section]) -> None:
    silent = [name for name, field in section.model_fields.items() if not field.description]
    assert silent == []


def test_every_policy_setting_is_documented() -> None:
    body = ast.parse(inspect.getsource(PolicySettings)).body[0].body[1:]  # type: ignore[attr-defined]
    for field, docstring in zip(body[::2], body[1::2], strict=True):
        assert isinstance(field, ast.AnnAssign)
        assert isinstance(docstring, ast.Expr)


def test_flag_beats_environment_beats_dotenv_beats_file_beats_default(tmp_path: Path) -> None:
    (tmp_path / "storecrew.yaml").write_text(
        "orchestrator: {port: 1, host: a, log_level: debug, max_concurrent: 3}"
    )
    (tmp_path / ".env").write_text("PORT=2\nHOST=b\nLOG_LEVEL=error\n")

    settings = load(
        tmp_path,
        {"PORT": "3", "HOST": "c"},
        flags={"orchestrator": {"port": 4, "host": None}},
    )

    found = settings.orchestrator
    assert (found.port, found.host, found.log_level) == (4, "c", "error")
    assert (found.max_concurrent, found.interval_seconds) == (3, 10.0)


def test_what_tells_the_tests_where_their_data_is_is_no_setting(tmp_path: Path) -> None:
    environ = {"STORECREW_SHARED": "/data", "STORECREW_TEST_POSTGRES": "postgresql://db"}
    assert load(tmp_path, environ) == load(tmp_path)


def test_our_own_variables_win_over_the_plain_ones(tmp_path: Path) -> None:
    environ = {"PORT": "1", "STORECREW_ORCHESTRATOR__PORT": "2"}
    assert load(tmp_path, environ).orchestrator.port == 2


@pytest.mark.parametrize(
    ("name", "value", "section", "key", "expected"),
    [
        ("HOST", "0.0.0.0", "orchestrator", "host", "0.0.0.0"),  # noqa: S104 - only read
        ("PORT", "10000", "orchestrator", "port", 10000),
        ("LOG_LEVEL", "DEBUG", "orchestrator", "log_level", "DEBUG"),
        ("ENV", "production", "orchestrator", "env", "production"),
        ("ORCHESTRATOR_INTERVAL_SECONDS", "5", "orchestrator", "interval_seconds", 5.0),
        ("ORCHESTRATOR_MAX_CONCURRENT", "2", "orchestrator", "max_concurrent", 2),
        ("ENABLE_ROYALGPT_ORCHESTRATION", "false", "orchestrator", "enabled", False),
        ("SUPPRESS_HEALTH_LOGS", "false", "orchestrator", "suppress_health_logs", False),
        ("DISABLE_ACCESS_LOG", "true", "orchestrator", "disable_access_log", True),
        ("LOG_FORMAT", "json", "orchestrator", "log_format", "json"),
        ("AUTHORIZED_AGENTS_SCOPE", "a, b", "api", "authorized_agents", ("a", "b")),
        ("SERVICE_VERSION", "9.9", "orchestrator", "service_version", "9.9"),
        ("STORECREW_API__RATE_LIMIT", "0", "api", "rate_limit", 0),
        ("STORECREW_API__CORS_ORIGINS", '["http://a"]', "api", "cors_origins", ("http://a",)),
        ("STORECREW_RETENTION__DAYS", "7", "retention", "days", 7),
        ("STORECREW_POLICY__AUTONOMY", '{"*.*": "auto"}', "policy", "autonomy", {"*.*": "auto"}),
    ],
)
def test_env_table(  # the variable's effect, on its own
    tmp_path: Path, name: str, value: str, section: str, key: str, expected: object
) -> None:
    assert getattr(getattr(load(tmp_path, {name: value}), section), key) == expected


def test_env_table_secrets_do_not_show_themselves(tmp_path: Path) -> None:
    settings = load(
        tmp_path, {"API_KEY_ROYALGPT": "hunter2", "DATABASE_URL": "postgresql://u:hunter2@h/d"}
    )
    assert settings.api_key == "hunter2"
    assert "hunter2" not in repr(settings)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, {"API_KEY_ROYALGPT": "", "PORT": ""}).api_key is None


def test_dotenv_round_trips_spaces_hashes_and_quotes(tmp_path: Path) -> None:
    key = "a b #c \" ' $D"
    (tmp_path / ".env").write_text('API_KEY_ROYALGPT="a b #c \\" \' $D"\n')
    assert load(tmp_path).api_key == key


def test_the_first_usual_file_is_read_and_a_named_one_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "orchestrator.yaml").write_text("retention: {days: 1}")
    assert load(tmp_path).retention.days == 1
    (tmp_path / "storecrew.yaml").write_text("retention: {days: 2}")
    assert load(tmp_path).retention.days == 2
    (tmp_path / "mine.yaml").write_text("retention: {days: 3}")
    assert load(tmp_path, config=tmp_path / "mine.yaml").retention.days == 3


def test_every_wrong_key_is_named_with_its_fix(tmp_path: Path) -> None:
    (tmp_path / "storecrew.yaml").write_text(
        "api: {rate_limt: 1, route_limits: {mail: -1}}\npolicy: {bogus: 1}\nretension: {days: 1}"
    )
    found = "\n".join(problems(tmp_path, {"PORT": "x"}))
    assert "api.rate_limt: is not a setting; did you mean 'rate_limit'?" in found
    assert "api.route_limits.mail: should be greater than or equal to 0 (it is -1)" in found
    assert "policy.bogus: is not a setting; known here are margin_floor" in found
    assert "retension: is not a setting; did you mean 'retention'?" in found
    assert "orchestrator.port: should be a valid integer" in found


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STORECREW_APPI__X": "1"}, "STORECREW_APPI__X: is no setting"),
        ({"STORECREW_API__X": "1"}, "api.x: is not a setting"),
        ({"STORECREW_POLICY__X": "1"}, "policy.x: is not a setting"),
        ({"STORECREW_API__CORS_ORIGINS": "[oops"}, "write lists as JSON"),
    ],
)
def test_a_wrong_variable_is_refused(
    tmp_path: Path, environ: dict[str, str], expected: str
) -> None:
    assert expected in problems(tmp_path, environ)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api: [", "is not valid YAML"),
        ("- a", "must be a mapping of sections"),
        ("store: {currency: EUR}\nstore: {currency: USD}", "line 2: store: stands there twice"),
    ],
)
def test_a_file_that_is_no_settings_file_is_refused(
    tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "storecrew.yaml").write_text(text)
    assert expected in problems(tmp_path)[0]


def test_a_missing_named_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="there is no file"):
        load(tmp_path, config=tmp_path / "none.yaml")


def test_an_unquoted_time_in_the_file_is_a_time(tmp_path: Path) -> None:
    (tmp_path / "storecrew.yaml").write_text("policy: {quiet_from: 21:30}")
    assert load(tmp_path).policy.quiet_from.isoformat() == "21:30:00"


def test_agents_are_switched_by_list_or_by_mapping(tmp_path: Path) -> None:
    path = tmp_path / "storecrew.yaml"
    path.write_text("agents: [pricing]")
    assert [load(tmp_path).runs(name) for name in ("pricing", "stock")] == [True, False]
    path.write_text("agents: {pricing: {enabled: false, step: 2}}")
    assert [load(tmp_path).runs(name) for name in ("pricing", "stock")] == [False, True]
    assert load(tmp_path).agent_sections["pricing"].options == {"step": 2}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("shop", False)],  # noqa: S104 - only judged
)
def test_loopback_addresses_are_told_apart(tmp_path: Path, host: str, expected: bool) -> None:
    assert load(tmp_path, {"HOST": host}).orchestrator.is_loopback is expected


def test_the_example_file_names_every_setting_and_is_valid() -> None:
    example = Path(module.__file__).parents[3] / "storecrew.example.yaml"
    settings = load(example.parent, config=example)
    text = example.read_text()
    for name, section in Settings.model_fields.items():
        assert f"{name}:" in text
        for key in getattr(section.annotation, "model_fields", {}):
            assert f"{key}:" in text
    assert settings.model_dump() == load(Path("/")).model_dump()


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2\n")
    assert load(tmp_path, {"API_KEY_ROYALGPT_FILE": str(tmp_path / "key")}).api_key == "hunter2"
    found = problems(tmp_path, {"API_KEY_ROYALGPT_FILE": str(tmp_path / "none")})
    assert found[0].startswith("API_KEY_ROYALGPT_FILE: cannot read")


def test_webhook_secrets_come_from_the_environment_and_do_not_show_themselves(
    tmp_path: Path,
) -> None:
    secret = "hunter2" * 3
    settings = load(tmp_path, {"STORECREW_WEBHOOKS__SHOP__SECRET": secret})
    assert settings.webhooks["shop"].secret.get_secret_value() == secret
    assert secret not in repr(settings)
    (short,) = problems(tmp_path, {"STORECREW_WEBHOOKS__SHOP__SECRET": "hunter2"})
    assert short.startswith("webhooks.shop.secret:")
    assert "hunter2" not in short
    (tmp_path / "storecrew.yaml").write_text("webhooks: {shop: {sekret: hunter2}}")
    found = "\n".join(problems(tmp_path))
    assert "webhooks.shop.sekret: is not a setting; did you mean 'secret'?" in found


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    (tmp_path / "storecrew.yaml").write_text("orchestrator: {tls_cert: cert.pem}")
    assert "tls_cert and tls_key are given together" in problems(tmp_path)[0]
