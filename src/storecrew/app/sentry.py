"""Unhandled errors go to Sentry as well, where the owner has one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from storecrew.app.redaction import Redactor, secrets_of
from storecrew.app.settings import Settings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

_FLUSH_SECONDS = 2.0
"""How long the end waits for what was not sent yet."""


@contextmanager
def report_errors(settings: Settings) -> Iterator[None]:
    """Send each error that is logged with its traceback to `SENTRY_DSN`, until left.

    Without secrets: no bodies, no headers, no variables, and the rest goes through the mask.
    """
    if settings.orchestrator.sentry_dsn is None:
        yield
        return
    import sentry_sdk  # a fifth of a second that only who uses it shall pay
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration
    from sentry_sdk.integrations.threading import ThreadingIntegration

    mask = Redactor(secrets_of(settings))

    def scrubbed(event: "Event", hint: "Hint") -> "Event | None":
        if "log_record" in hint and "exc_info" not in hint:
            return None  # a line without a traceback: the log has it
        return cast("Event", mask.value(event))

    sentry_sdk.init(
        dsn=settings.orchestrator.sentry_dsn.get_secret_value(),
        environment=settings.orchestrator.env,
        release=settings.orchestrator.service_version,
        default_integrations=False,
        integrations=[
            LoggingIntegration(level=None),
            DedupeIntegration(),
            ExcepthookIntegration(),
            ThreadingIntegration(),
        ],
        include_local_variables=False,
        max_request_body_size="never",
        send_default_pii=False,
        send_client_reports=False,
        before_send=scrubbed,
    )
    try:
        yield
    finally:
        sentry_sdk.get_client().close(timeout=_FLUSH_SECONDS)
