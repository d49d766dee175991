"""The agents folder: a file for each remote agent; the journal follows the files at each start."""

from datetime import datetime

from storecrew.app.declarations import from_files
from storecrew.app.settings import Settings
from storecrew.domain.crew import CrewBook, Enlisted, Origin
from storecrew.web.guard import Outbound


async def follow_files(book: CrewBook, settings: Settings, now: datetime) -> None:
    """Register who has a file, anew where it changed, and dismiss who has none any more.

    Raises `InvalidSettings` for a file that is none, `AlreadyRegistered` for a name that was
    registered otherwise.
    """
    outbound = Outbound(settings.agents_remote.allow_private)
    wanted = {
        one.declaration.agent_id: one
        for one in from_files(settings.agents_dir, settings.store.currency, outbound, now)
    }
    for known in await book.enlisted():
        name = known.declaration.agent_id
        if known.origin is Origin.FILE and not _same(known, wanted.get(name)):
            await book.dismiss(name, by="system", now=now)
    for one in wanted.values():
        await book.enlist(one)


def _same(known: Enlisted, wanted: Enlisted | None) -> bool:
    return (
        wanted is not None
        and known.declaration == wanted.declaration
        and known.token_hash == wanted.token_hash
    )
