"""Log lines: where they go, how they look, that none is lost, and that no secret stands in them."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from storecrew.app.logging_config import BACKUPS, MAX_BYTES, configure_logs, warn_on_terminal
from storecrew.app.redaction import Redactor, secrets_of
from storecrew.app.settings import Settings, load_settings

SECRETS = {
    "API_KEY_ROYALGPT": "k3y with \"quotes\" and 'more' \\ of them",
    "SENTRY_DSN": "http://dsn-public:dsn-hunter2@127.0.0.1:9/1",
    "DATABASE_URL": "postgresql://shop:db-hunter2@127.0.0.1/shop",
    "STORECREW_WEBHOOKS__SHOP__SECRET": "webhook-hunter2-hunter2",
    "STORECREW_WEBHOOKS__SHOP__PREVIOUS_SECRET": "older-hunter2-hunter2",
}
PLANTED = [*SECRETS.values(), "dsn-hunter2", "db-hunter2"]


def settings(folder: Path, **environ: str) -> Settings:
    flags = {"orchestrator": {"log_dir": folder / "logs"}}
    return load_settings(environ=environ, directory=folder, flags=flags)


@contextmanager
def logging_to(folder: Path, **environ: str) -> Iterator[Path]:
    with configure_logs(settings(folder, **environ)):
        yield folder / "logs" / "orchestrator.log"


def fail_with(message: str) -> None:
    log = logging.getLogger("storecrew.test")
    try:
        try:
            int(message)
        except ValueError as error:
            raise RuntimeError(f"while handling {message}") from error
    except RuntimeError:
        log.exception("it failed with %s", message)


@pytest.mark.parametrize("kind", ["text", "json"])
def test_r042_secrets_are_masked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    with logging_to(tmp_path, LOG_FORMAT=kind, **SECRETS) as path:
        log = logging.getLogger("storecrew.test")
        for secret in PLANTED:
            log.info("plain %s, quoted %r, as a field {'x': %r}", secret, secret, {"y": secret})
            with bound_contextvars(note=secret):
                fail_with(secret)
        log.warning("Authorization: Bearer somebody-elses-hunter2")
        log.warning("headers %s", {"authorization": "hunter2hunter2", "X-Api-Key": "hunter2"})
        log.warning("GET https://user:url-hunter2@shop.example/x?access_token=query-hunter2&y=1")
        log.warning('{"password": "json-hunter2", "client_secret":"hunter2"}')
        log.warning("made sck_%s", "hunter2" * 6)
        logging.getLogger("somebody.else").warning("password=other-hunter2")
    said = path.read_text() + capfd.readouterr().err
    assert "hunter2" not in said
    assert SECRETS["API_KEY_ROYALGPT"] not in said
    assert "k3y with" not in said
    assert "while handling" in said
    assert "***" in said
    assert "shop.example" in said


def test_r042_every_secret_of_the_settings_is_known(tmp_path: Path) -> None:
    known = secrets_of(settings(tmp_path, **SECRETS))
    assert set(known) == set(PLANTED)


def test_what_is_no_secret_is_left_alone(tmp_path: Path) -> None:
    mask = Redactor(secrets_of(settings(tmp_path)))
    for line in (
        'GET "/api/orders" 200 1.0 ms',
        "http://127.0.0.1:8000/api/orders",
        "3 runs, 2 tokens",
        "key 'order-1' was already used",
    ):
        assert mask.text(line) == line


def test_a_long_line_is_masked_quickly() -> None:
    mask = Redactor(["hunter2"])
    for line in ("a-" * 50_000, "://" * 30_000, "token" * 20_000, "authorization" * 8_000):
        assert "hunter2" not in mask.text(line + "hunter2")


def test_r160_json_logs_are_one_object_a_line(tmp_path: Path) -> None:
    with logging_to(tmp_path, LOG_FORMAT="json") as path:
        log = logging.getLogger("storecrew.test")
        with bound_contextvars(request_id="r-1", run="pricing@1", agent="pricing"):
            log.info('said "%s"', "two\nlines")
            fail_with("boom")
        log.info("outside")
    first, failed, outside = map(json.loads, path.read_text().splitlines())
    assert first["event"] == 'said "two\nlines"'
    assert (first["request_id"], first["run"], first["agent"]) == ("r-1", "pricing@1", "pricing")
    assert (first["level"], first["logger"]) == ("info", "storecrew.test")
    assert first["timestamp"].endswith("+00:00")
    assert "RuntimeError: while handling boom" in failed["exception"]
    assert "request_id" not in outside


@pytest.mark.parametrize("kind", ["text", "json"])
def test_r160_events_with_fields_take_the_same_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    with logging_to(tmp_path, LOG_FORMAT=kind, API_KEY_ROYALGPT="hunter2-hunter2") as path:
        structlog.get_logger("storecrew.test").warning(
            "run_failed 100 %s", run="pricing@1", error="ValueError('hunter2-hunter2')"
        )
    line = path.read_text()
    assert capsys.readouterr().out == ""
    assert "hunter2" not in line
    if kind == "json":
        found = json.loads(line)
        assert (found["event"], found["run"]) == ("run_failed 100 %s", "pricing@1")
        assert found["error"] == "ValueError('***')"
    else:
        assert line.rstrip().endswith("run_failed 100 %s run=pricing@1 error=ValueError('***')")


def test_a_command_is_warned_on_its_terminal_and_not_in_its_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with warn_on_terminal(settings(tmp_path, API_KEY_ROYALGPT="hunter2-hunter2")):
        structlog.get_logger("storecrew.test").warning("run_failed", error="hunter2-hunter2")
        structlog.get_logger("storecrew.test").info("all is well")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.rstrip().endswith("WARNING storecrew.test run_failed error=***")
    assert not (tmp_path / "logs").exists()


def test_a_stranger_cannot_write_lines_of_their_own(tmp_path: Path) -> None:
    with logging_to(tmp_path) as path:
        logging.getLogger("storecrew.access").info(
            '"GET %s" 404', "/x\n2026 INFO all is well\r\x1b"
        )
    (line,) = path.read_text().splitlines()
    assert line.endswith(r'"GET /x\n2026 INFO all is well\r\x1b" 404')


def test_r014_errors_are_written_at_any_level(tmp_path: Path) -> None:
    with logging_to(tmp_path, LOG_LEVEL="critical", DISABLE_ACCESS_LOG="true") as path:
        logging.getLogger("storecrew.errors").error("broke")
        logging.getLogger("uvicorn.error").error("broke too")
        logging.getLogger("storecrew.errors").info("well")
    assert [line.rpartition(" ")[2] for line in path.read_text().splitlines()] == ["broke", "too"]


@pytest.mark.parametrize(("level", "shown"), [("DEBUG", 2), ("debug", 2), ("Warning", 0)])
def test_r013_the_level_is_read_in_any_case(tmp_path: Path, level: str, shown: int) -> None:
    with logging_to(tmp_path, LOG_LEVEL=level) as path:
        logging.getLogger("storecrew.x").debug("a")
        logging.getLogger("storecrew.x").info("b")
    assert len(path.read_text().splitlines()) == shown


def test_r013_an_unknown_level_is_info_and_one_warning(tmp_path: Path) -> None:
    with logging_to(tmp_path, LOG_LEVEL="bogus") as path:
        logging.getLogger("storecrew.x").debug("a")
        logging.getLogger("storecrew.x").info("b")
    warning, info = path.read_text().splitlines()
    assert "bogus" in warning
    assert info.endswith("b")


def test_r164_rotation_keeps_every_line(tmp_path: Path) -> None:
    size, total = 50_000, 50_000_000
    with logging_to(tmp_path) as path:
        log = logging.getLogger("storecrew.flood")
        for n in range(total // size):
            log.info("%s %06d", "x" * size, n)
    files = sorted(path.parent.glob("*.log*"), key=lambda f: f.name, reverse=True)
    assert len(files) == 1 + BACKUPS
    assert all(file.stat().st_size <= MAX_BYTES for file in files)
    numbers = [
        int(line.rpartition(" ")[2]) for file in files for line in file.read_text().splitlines()
    ]
    assert numbers == list(range(numbers[0], total // size))
    assert len(numbers) * size > 0.7 * (1 + BACKUPS) * MAX_BYTES


def test_r164_two_processes_do_not_share_a_file(tmp_path: Path) -> None:
    with logging_to(tmp_path) as path:
        program = (
            "import sys; from pathlib import Path\n"
            "from storecrew.app.logging_config import _own_file\n"
            "print(_own_file(Path(sys.argv[1]))[0].name)"
        )
        for expected in ("orchestrator-2.log", "orchestrator-2.log"):  # the first has ended
            said = subprocess.run(
                [sys.executable, "-c", program, str(path.parent)],
                capture_output=True,
                text=True,
                check=True,
            )
            assert said.stdout.strip() == expected


def test_a_disk_that_is_full_stops_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with logging_to(tmp_path) as path:
        log = logging.getLogger("storecrew.x")

        def full(*_args: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(RotatingFileHandler, "emit", full)
            log.info("lost")
        log.info("kept")
    assert path.exists()
    capfd.readouterr()
