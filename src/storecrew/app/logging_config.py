"""Where log lines go: a rotating file in the log folder, and the terminal. No secret gets there."""

import fcntl
import json
import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import closing, contextmanager
from copy import copy
from datetime import UTC, datetime
from io import TextIOWrapper
from itertools import count
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import structlog
from structlog.contextvars import get_contextvars

from storecrew.app.redaction import Redactor, secrets_of
from storecrew.app.settings import Settings
from storecrew.database.private_files import FOLDER_MODE, make_private_file, private_opener
from storecrew.domain.input_text import printable

MAX_BYTES = 10_000_000
BACKUPS = 3
"""Files kept beside the current one: with it 40 MB, some days of a busy shop."""
_LEVELS = {"critical", "error", "warning", "info", "debug"}
_OURS = ("storecrew", "uvicorn")
_PLAIN_NAMES = {"uvicorn.error": "uvicorn"}
"""Loggers under another name in lines: uvicorn writes normal lines to `uvicorn.error`."""


@contextmanager
def configure_logs(settings: Settings) -> Iterator[None]:
    """Write the product's and the server's log lines until left; errors are always written.

    A thread of its own writes them, so that no request waits for a disk. Access lines go to the
    file alone. The server's own access log is off: the HTTP door writes one that knows noise.
    Other libraries' warnings are written as well, so that none passes the mask by.
    """
    folder = settings.orchestrator.log_dir
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    path, claim = _own_file(folder)
    layout, level = layout_of(settings), _level(settings.orchestrator.log_level)
    with closing(claim), _written_by(_file(path, layout), _terminal(layout), level=level):
        _warn_of_unknown(settings.orchestrator.log_level)
        yield


@contextmanager
def warn_on_terminal(settings: Settings) -> Iterator[None]:
    """Write warnings to the terminal until left: for a command, whose output is its own."""
    with _written_by(_terminal(layout_of(settings)), level=logging.WARNING):
        yield


@contextmanager
def _written_by(*handlers: logging.Handler, level: int) -> Iterator[None]:
    waiting: SimpleQueue[logging.LogRecord] = SimpleQueue()
    writer = QueueListener(waiting, *handlers)
    loggers = [logging.getLogger(name) for name in _OURS]
    for logger in loggers:
        logger.handlers, logger.propagate = [_Hand(waiting)], False
        logger.setLevel(level)
    others = _Hand(waiting)
    others.setLevel(logging.WARNING)
    logging.getLogger().addHandler(others)
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False
    structlog.configure(processors=[_as_record], logger_factory=structlog.stdlib.LoggerFactory())
    writer.start()
    try:
        yield
    finally:
        writer.stop()
        structlog.reset_defaults()
        logging.getLogger().removeHandler(others)
        for logger in loggers:
            logger.handlers, logger.propagate = [], True
        for handler in handlers:
            handler.close()


def layout_of(settings: Settings) -> logging.Formatter:
    """Return how lines look under these settings."""
    mask = Redactor(secrets_of(settings))
    return _Json(mask) if settings.orchestrator.log_format == "json" else _Text(mask)


def _as_record(
    _logger: Any, _method: str, fields: MutableMapping[str, Any]
) -> tuple[tuple[str], dict[str, Any]]:
    """Hand an event and its fields on as a log record, so that they take the same way."""
    event, exc_info = str(fields.pop("event", "")), fields.pop("exc_info", None)
    return (event,), {"exc_info": exc_info, "extra": {"fields": dict(fields)}}


class _Hand(QueueHandler):
    """Hands a line on to the writing thread, with what was bound around the call."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Word the line here, where its arguments are; its context would be lost on the way."""
        record = copy(record)  # others may be told of it too
        record.name = _PLAIN_NAMES.get(record.name, record.name)
        record.msg, record.args = record.getMessage(), None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        record.context = {**get_contextvars(), **getattr(record, "fields", {})}
        return record


class _Text(logging.Formatter):
    """For people: one line, and a traceback below it."""

    def __init__(self, mask: Redactor) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        context = "".join(f" {name}={value}" for name, value in _context(record).items())
        message = printable(record.getMessage() + context, keep="")
        line = f"{_at(record)} {record.levelname} {record.name} {message}"
        return self._mask.text(f"{line}\n{printable(record.exc_text)}" if record.exc_text else line)


class _Json(logging.Formatter):
    """For programs: one object a line."""

    def __init__(self, mask: Redactor) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "timestamp": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_context(record),
        }
        if record.exc_text:
            fields["exception"] = record.exc_text
        return json.dumps(self._mask.value(fields), default=str)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _context(record: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = getattr(record, "context", {})
    return found


def _own_file(folder: Path) -> tuple[Path, IO[str]]:
    """Return a log file that no other process writes, and what holds it: two could not rotate it.

    A worker beside the server writes `orchestrator-2.log`.
    """
    for n in count(1):
        name = "orchestrator" if n == 1 else f"orchestrator-{n}"
        claim = open(folder / f"{name}.lock", "w", opener=private_opener)  # noqa: SIM115 - held until closed
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
        else:
            return folder / f"{name}.log", claim
    raise AssertionError("counting has no end")


class _PrivateFile(RotatingFileHandler):
    """A log file that only its owner may read, also once it was rotated."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, opener=private_opener)


def _file(path: Path, layout: logging.Formatter) -> logging.Handler:
    make_private_file(path)
    file = _PrivateFile(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    file.setFormatter(layout)
    return file


def _terminal(layout: logging.Formatter) -> logging.Handler:
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(layout)
    terminal.addFilter(lambda record: record.name != "storecrew.access")
    return terminal


def _level(name: str) -> int:
    """Return the level, at most ERROR: failures are never suppressed."""
    known = name.lower() if name.lower() in _LEVELS else "info"
    return min(logging.getLevelNamesMapping()[known.upper()], logging.ERROR)


def _warn_of_unknown(name: str) -> None:
    if name.lower() not in _LEVELS:
        known = ", ".join(sorted(_LEVELS))
        logging.getLogger("storecrew").warning("log level %r is none of %s: info", name, known)
