"""Where log lines go: a rotating file in the log folder, and the terminal."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler

from storecrew.app.settings import Settings

MAX_BYTES = 10_000_000
BACKUPS = 3
"""Files kept beside the current one: with it 40 MB, some days of a busy shop."""
_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_LEVELS = {"critical", "error", "warning", "info", "debug"}


@contextmanager
def configure_logs(settings: Settings) -> Iterator[None]:
    """Write the product's and the server's log lines until left; errors are always written.

    The server's own access log is off: the HTTP door writes its own, which knows noise.
    """
    orchestrator = settings.orchestrator
    orchestrator.log_dir.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(
        orchestrator.log_dir / "orchestrator.log",
        maxBytes=MAX_BYTES,
        backupCount=BACKUPS,
        encoding="utf-8",
    )
    handlers: list[logging.Handler] = [file, logging.StreamHandler()]
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORMAT))
    loggers = [logging.getLogger(name) for name in ("storecrew", "uvicorn")]
    for logger in loggers:
        logger.handlers, logger.propagate = list(handlers), False
        logger.setLevel(_level(orchestrator.log_level))
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False
    _warn_of_unknown(orchestrator.log_level)
    try:
        yield
    finally:
        for logger in loggers:
            logger.handlers, logger.propagate = [], True
        for handler in handlers:
            handler.close()


def _level(name: str) -> int:
    """Return the level, at most ERROR: failures are never suppressed."""
    known = name.lower() if name.lower() in _LEVELS else "info"
    return min(logging.getLevelNamesMapping()[known.upper()], logging.ERROR)


def _warn_of_unknown(name: str) -> None:
    if name.lower() not in _LEVELS:
        known = ", ".join(sorted(_LEVELS))
        logging.getLogger("storecrew").warning("log level %r is none of %s: info", name, known)
