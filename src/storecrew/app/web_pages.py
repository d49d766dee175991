"""The reader of web pages and feeds, with what it counts kept in the journal."""

from contextlib import AsyncExitStack

from storecrew.app.settings import Settings
from storecrew.domain.ports.clock import Clock
from storecrew.journal import SqlJournal
from storecrew.journal.skipped_inputs import SqlSkippedInputs
from storecrew.web.reader import LiveWebReader


def open_web_reader(
    settings: Settings, journal: SqlJournal, clock: Clock, stack: AsyncExitStack
) -> LiveWebReader:
    """Open the web reader, to be closed with the stack."""
    web = LiveWebReader(
        settings=settings.web,
        clock=clock,
        folder=settings.data_dir / "web",
        skipped=SqlSkippedInputs(journal.database),
    )
    stack.push_async_callback(web.close)
    return web
