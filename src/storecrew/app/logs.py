"""Where log lines go: a rotating file in the log folder, and the terminal."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from queue import SimpleQueue

from storecrew.app.settings import Settings

MAX_BYTES = 10_000_000
BACKUPS = 3
"""Files kept beside the current one: with it 40 MB, some days of a busy shop."""
_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_LEVELS = {"critical", "error", "warning", "info", "debug"}


@contextmanager
def configure_logs(settings: Settings) -> Iterator[None]:
    """Write the product's and the server's log lines until left; errors are always written.

    A thread of its own writes them, so that no request waits for a disk. Access lines go to the
    file alone. The server's own access log is off: the HTTP door writes one that knows noise.
    """
    level = _level(settings.orchestrator.log_level)
    waiting: SimpleQueue[logging.LogRecord] = SimpleQueue()
    writer = QueueListener(waiting, _file(settings), _terminal())
    loggers = [logging.getLogger(name) for name in ("storecrew", "uvicorn")]
    for logger in loggers:
        logger.handlers, logger.propagate = [QueueHandler(waiting)], False
        logger.setLevel(level)
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False
    writer.start()
    _warn_of_unknown(settings.orchestrator.log_level)
    try:
        yield
    finally:
        writer.stop()
        for logger in loggers:
            logger.handlers, logger.propagate = [], True
        for handler in writer.handlers:
            handler.close()


def _file(settings: Settings) -> logging.Handler:
    folder = settings.orchestrator.log_dir
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "orchestrator.log"
    file = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    file.setFormatter(logging.Formatter(_FORMAT))
    return file


def _terminal() -> logging.Handler:
    terminal = logging.StreamHandler()
    terminal.setFormatter(logging.Formatter(_FORMAT))
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
