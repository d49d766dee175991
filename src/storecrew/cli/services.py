"""Services from the shell: what runs, how it is, what it says, and how to start and stop it."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import (
    FAILED,
    handle_errors,
    print_text,
    show_fields,
    show_json,
    show_table,
)
from storecrew.cli.session import person, with_services
from storecrew.domain.control.services import DesiredState, ServiceStatus
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app.service_manager import ServiceManager
    from storecrew.domain.control.services import ServiceView

ServiceId = Annotated[str, typer.Argument(help="The service, by its id.")]
Lines = Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest lines.")]

OWN = "orchestrator"
"""The name under which storecrew itself is listed and logs."""


def register(app: typer.Typer) -> None:
    """Hang the commands on the program."""
    app.command()(status)
    app.command("list")(list_)
    for command in (show, start, stop, restart, logs):
        app.command()(command)


@handle_errors
def status(
    log_lines: Annotated[
        int, typer.Option("--logs", min=0, max=1000, help="Show so many newest lines of each log.")
    ] = 0,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show whether storecrew runs here, and how each service is.

    Example: storecrew status --logs 20
    """

    async def look(manager: "ServiceManager") -> dict[str, Any]:
        charge = await manager.charge()
        views = await manager.list()
        tails = {
            name: list(await manager.logs(name, lines=log_lines))
            for name in (OWN, *(view.id for view in views))
            if log_lines
        }
        return {
            "status": "running" if charge else "stopped",
            "pid": charge.process.pid if charge else None,
            "address": charge.address if charge else None,
            "services": views,
            "logs": tails,
        }

    found = with_services(data_dir, look, config=config)
    if as_json:
        show_json(found)
        return
    if found["pid"]:
        print_text(f"{OWN}  RUNNING  pid {found['pid']}  {found['address']}")
    else:
        print_text(f"{OWN}  STOPPED  start it with `storecrew up`")
    _show_list(found["services"])
    for name, lines in found["logs"].items():
        print_text(f"\n== {name} ==")
        print_text("\n".join(lines) or "(nothing yet)")


@handle_errors
def list_(data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """List the services.

    Example: storecrew list --json
    """
    found = with_services(data_dir, lambda m: m.list(), config=config)
    if as_json:
        show_json(found)
    else:
        _show_list(found)


def _show_list(views: "list[ServiceView] | Any") -> None:
    columns = ("service", "status", "health", "pid", "since", "restarts", "detail")
    rows = [
        (
            view.id,
            view.status.value.upper(),
            view.health.value,
            view.pid or "",
            f"{view.since:%Y-%m-%d %H:%M:%S}" if view.since else "",
            view.restarts,
            view.detail,
        )
        for view in views
    ]
    show_table(plural(len(rows), "service"), columns, rows)


@handle_errors
def show(
    service: ServiceId, data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False
) -> None:
    """Show one service.

    Example: storecrew show my-service
    """
    view = with_services(data_dir, lambda m: m.show(service), config=config)
    if as_json:
        show_json(view)
        return
    limits = [f"memory {view.resources.max_memory}"] if view.resources.max_memory else []
    if view.resources.max_cpu:
        limits.append(f"processor {view.resources.max_cpu} ({view.cpu_limit or 'not held now'})")
    policy = view.restart_policy
    show_fields(
        {
            "service": view.id,
            "name": view.name,
            "type": view.type,
            "status": view.status.value.upper() + (", adopted" if view.adopted else ""),
            "detail": view.detail,
            "pid": view.pid or "",
            "since": view.since or "",
            "health": f"{view.health.value} {view.health_at or ''}".strip(),
            "restarts": view.restarts,
            "last exit": "" if view.exit_code is None else view.exit_code,
            "desired": view.desired.value,
            "starts by itself": view.auto_start,
            "executable": view.executable or "(announced itself)",
            "health endpoint": view.health_endpoint or "",
            "api endpoint": view.api_endpoint or "",
            "restart policy": f"{_or_usual(policy.max_retries)} retries, "
            f"{_or_usual(policy.backoff_seconds)} s apart",
            "limits": ", ".join(limits) or "none",
            "environment": ", ".join(view.environment),
            "depends on": ", ".join(view.depends_on),
            "described by": view.origin.value,
        }
    )


def _or_usual(value: object) -> object:
    return "the usual" if value is None else value


@handle_errors
def start(
    service: ServiceId, data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False
) -> None:
    """Start a service; harmless when it runs.

    Example: storecrew start my-service
    """
    _tell(with_services(data_dir, lambda d: d.start(service, by=person()), config=config), as_json)


@handle_errors
def stop(
    service: ServiceId, data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False
) -> None:
    """Stop a service with all of its processes, and leave it stopped.

    Example: storecrew stop my-service
    """
    _tell(with_services(data_dir, lambda d: d.stop(service, by=person()), config=config), as_json)


@handle_errors
def restart(
    service: ServiceId, data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False
) -> None:
    """Stop a service and start it again.

    Example: storecrew restart my-service
    """
    _tell(
        with_services(data_dir, lambda d: d.restart(service, by=person()), config=config), as_json
    )


def _tell(view: "ServiceView", as_json: bool) -> None:
    """Say how it is now; exit with 1 where that is not what was wanted."""
    if as_json:
        show_json(view)
    else:
        pid = f", pid {view.pid}" if view.pid else ""
        detail = f": {view.detail}" if view.detail else ""
        print_text(f"{view.id} is {view.status.value}{pid}{detail}")
    is_stopped = view.status is ServiceStatus.STOPPED
    if is_stopped is (view.desired is DesiredState.RUNNING):
        raise typer.Exit(FAILED)
    if view.status is ServiceStatus.FAILED:
        raise typer.Exit(FAILED)


@handle_errors
def logs(  # noqa: PLR0913 - options of a command are read by name
    service: Annotated[
        str, typer.Argument(help="One service, or `orchestrator`.", show_default="all of them")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each new line, until Ctrl-C.")
    ] = False,
    lines: Lines = 100,
    search: Annotated[str, typer.Option(help="Only lines with these words.")] = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Print the newest lines of a service's log, or of all of them.

    With --json, one object with `service` and `line` on each line.

    Example: storecrew logs my-service -f --lines 20
    """

    tell = _teller(named=not service, as_json=as_json)

    async def read(manager: "ServiceManager") -> None:
        names = [service] if service else [OWN, *(view.id for view in await manager.list())]
        for name in names:
            for line in await manager.logs(name, lines=lines, search=search):
                tell(name, line)
        if follow:
            async for name, line in manager.follow(service or None):
                if search.lower() in line.lower():
                    tell(name, line)

    try:
        with_services(data_dir, read, config=config)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _teller(*, named: bool, as_json: bool) -> Callable[[str, str], None]:
    """Return what prints a line of a service's log."""

    def tell(service: str, line: str) -> None:
        if as_json:
            line = json.dumps({"service": service, "line": line}, ensure_ascii=False)
        elif named:
            line = f"{service} | {line}"
        print_text(line)

    return tell
