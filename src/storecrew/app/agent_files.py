"""The agents folder: a file for each remote agent; the journal follows the files at each start."""

from dataclasses import replace
from datetime import datetime

from storecrew.app.manifests import from_files
from storecrew.app.secret_box import SecretBox
from storecrew.app.settings import Settings
from storecrew.domain.control.agents import AgentOrigin, RegisteredAgent
from storecrew.domain.ports.repositories import AgentRepository
from storecrew.web.ssrf_guard import OutboundPolicy


async def follow_files(book: AgentRepository, settings: Settings, now: datetime) -> None:
    """Register who has a file, anew where it changed, and dismiss who has none any more.

    Raises `InvalidSettings` for a file that is none, `AlreadyRegistered` for a name that was
    registered otherwise.
    """
    outbound = OutboundPolicy(settings.remote_agents.allow_private)
    declared = {
        one.declaration.agent_id: one
        for one in from_files(settings.agents_dir, settings.store.currency, outbound, now)
    }
    for known in await book.registered():
        name = known.declaration.agent_id
        if known.origin is AgentOrigin.FILE and not _same(known, declared.get(name)):
            await book.deregister(name, by="system", now=now)
    for one in declared.values():
        sealed = SecretBox.of(settings).encrypt(one.signing_key)
        await book.register(replace(one, signing_key=sealed))


def _same(known: RegisteredAgent, wanted: RegisteredAgent | None) -> bool:
    return (
        wanted is not None
        and known.declaration == wanted.declaration
        and known.token_hash == wanted.token_hash
    )
