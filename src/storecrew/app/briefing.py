"""The order flow and the daily briefing of a control plane, by its own settings."""

from storecrew.agents.oversight import OversightSettings, Survey, oversight, survey
from storecrew.app.agent_settings import agent_options
from storecrew.app.control_plane import Plane
from storecrew.reports.briefing import Briefing, Sources, briefing
from storecrew.sdk.settings import parse_settings


async def order_flow(plane: Plane) -> Survey:
    """Return the survey of the order flow at this moment."""
    options = agent_options(plane.settings).get(oversight.name, {})
    settings = parse_settings(OversightSettings, oversight.name, options)
    return await survey(plane.store, plane.clock.now(), settings)


async def daily_briefing(plane: Plane) -> Briefing:
    """Return what the owner should know this morning."""
    sources = Sources(
        store=plane.store,
        journal=plane.journal,
        incidents=plane.incidents,
        survey=await order_flow(plane),
    )
    return await briefing(
        sources,
        plane.clock.now(),
        zone=plane.settings.policy.zone,
        currency=plane.settings.store.currency,
    )
