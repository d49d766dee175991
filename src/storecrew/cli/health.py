"""`storecrew health`: how the agents are, for a person, a cron job or a timer."""

from contextlib import closing
from datetime import timedelta
from typing import Annotated, Any

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import print_text, show_json, show_table
from storecrew.cli.session import read_settings
from storecrew.domain.errors import StorecrewError

_CODES = {"healthy": 0, "warning": 1, "degraded": 2}
CANNOT_TELL = 3
"""Exit code where nobody can know: no journal, wrong settings, a database that does not answer."""
_SHOWN = 20
"""Agents of one word that are named; of more only the number is told."""


def register(app: typer.Typer) -> None:
    """Hang the command on the program."""
    app.command()(health)


def health(
    alert: Annotated[
        bool, typer.Option("--alert", help="Also tell whoever `alerts.urls` names.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show how the agents and services are. Exit 0 healthy, 1 warning, 2 degraded, 3 cannot tell.

    Needs no server: it reads the journal, also beside a running one.

    Example: storecrew health --alert
    """
    import asyncio  # not needed for `--help`

    try:
        found = asyncio.run(_look(data_dir, config, alert))
    except StorecrewError as error:
        if as_json:
            show_json({"overall_status": "unknown", "error": str(error)})
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(CANNOT_TELL) from error
    if as_json:
        show_json(found)
    else:
        _show(found)
    raise typer.Exit(_CODES[found["overall_status"]])


async def _look(data_dir: Any, config: Any, alert: bool) -> dict[str, Any]:
    from storecrew.app.journal_connection import (
        open_journal_client,
    )  # databases, which `--help` need not pay
    from storecrew.domain.control.health import CrewHealth, report

    settings = read_settings(data_dir, config)
    with closing(open_journal_client(settings)) as door:
        max_age = timedelta(seconds=settings.alerts.max_age_seconds)
        found = report(door.agent_health(), door.clock.now(), max_age)
        found["services_down"] = list(door.services_down())
        if found["services_down"] and found["overall_status"] == CrewHealth.HEALTHY:
            found["overall_status"] = str(CrewHealth.WARNING)
        if alert:
            alerted = await door.alert(None)
            found["alerts"] = {
                "sent": alerted.sent,
                "recovered": alerted.recovered,
                "held": alerted.held,
            }
    return found


def _show(found: dict[str, Any]) -> None:
    rows = []
    for word in ("error", "stale", "unknown", "healthy"):
        agents = found[word]["agents"]
        names = ", ".join(agent["agent_id"] for agent in agents[:_SHOWN])
        more = len(agents) - _SHOWN
        rows.append((word, found[word]["count"], f"{names} and {more} more" if more > 0 else names))
    title = f"{found['overall_status']}: {found['total_agents']} agents"
    show_table(title, ("state", "agents", "names"), rows)
    if down := found["services_down"]:
        print_text(f"Services that are down: {', '.join(down)}. See `storecrew services list`.")
