"""`storecrew up` and `storecrew down`: the API, the crew and the services, and their end."""

from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import FAILED, MISUSED, fail, handle_errors, print_text, show_json
from storecrew.cli.session import read_settings, with_services
from storecrew.cli.startup import uncollected

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from storecrew.app import Settings
    from storecrew.app.control_plane import ProcessRole
    from storecrew.app.service_manager import ServiceManager
    from storecrew.domain.ports.clock import Clock

Host = Annotated[
    str | None, typer.Option(help="Address to listen on.", show_default="as configured")
]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port; 0 takes a free one.", show_default="as configured"),
]

_HEARD_BYTES = 4096
"""Most that a websocket's client may say at once; nothing it says is listened to."""
_GRACE_SECONDS = 10
"""How long requests under way may take once the server was asked to stop."""


def register(app: typer.Typer) -> None:
    """Hang the commands on the program."""
    for command in (up, down):
        app.command()(command)


@handle_errors
def up(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Serve in the background, once it is ready.")
    ] = False,
) -> None:
    """Serve the API, run the crew and keep services running, until SIGTERM or Ctrl-C.

    Without a key (API_KEY_ROYALGPT) only this machine may call.

    Example: storecrew up --port 8000 --data-dir shop
    """
    settings = read_settings(data_dir, config, host=host, port=port)
    if detach:
        _serve_in_background(settings)
    else:
        serve(settings)


def _serve_in_background(settings: "Settings") -> None:
    from storecrew.cli import daemon  # not needed for `--help`

    listening = _listen(settings)
    name, port = listening.getsockname()[:2]
    tls = settings.orchestrator.tls_cert is not None
    pid = daemon.start(
        (name, port), tls=tls, serve=lambda: serve(settings, listening=listening, detached=True)
    )
    print_text(f"{'https' if tls else 'http'}://{name}:{port} (process {pid})")


@handle_errors
def down(data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Stop the services and storecrew: SIGTERM, and SIGKILL for what does not end in time.

    What a storecrew that was killed left running is stopped as well.

    Example: storecrew down
    """
    import asyncio  # none of these is needed for `--help`

    from storecrew.app.bootstrap import end_what_is_left
    from storecrew.cli import daemon

    settings = read_settings(data_dir, config)
    found = with_services(data_dir, _who_serves, config=config)
    pid, ended = None, True
    if found is not None:
        pid, is_same, within = found
        ended = daemon.end(pid, is_same=is_same, within=within)
    left = asyncio.run(end_what_is_left(settings))
    if as_json:
        show_json({"pid": pid, "killed": not ended, "services_left_running": left})
        return
    if pid is not None:
        print_text(f"storecrew (process {pid}) " + ("has ended" if ended else "was killed"))
    if left:
        print_text(f"{left} services that were left running have ended")
    elif found is None:
        print_text("nothing runs on this data folder")


async def _who_serves(manager: "ServiceManager") -> "tuple[int, Callable[[], bool], float] | None":
    """Return the process that serves, how to know it again, and how long its end may take."""
    from storecrew.app.service_manager import lives

    charge = await manager.charge()
    if charge is None:
        return None
    if not lives(charge.process):
        fail(f"process {charge.process.pid} on {charge.host} serves; stop it there")
    patience = max((view.stop_timeout for view in await manager.list()), default=0.0)
    return charge.process.pid, lambda: lives(charge.process), patience + 2 * _GRACE_SECONDS


@uncollected()
def serve(
    settings: "Settings",
    clock: "Clock | None" = None,
    *,
    listening: "socket.socket | None" = None,
    detached: bool = False,
    duty: "ProcessRole | None" = None,
) -> None:
    """Serve until told to stop; ends the command with 2 where it must not or cannot listen."""
    import asyncio  # none of these is needed for `--help`
    import signal

    import uvicorn

    from storecrew.api.asgi import Application, refusal_to_listen
    from storecrew.api.protocol import bounded_http
    from storecrew.app.control_plane import ProcessRole
    from storecrew.cli.server import GracefulServer

    if reason := asyncio.run(refusal_to_listen(settings)):
        fail(reason, code=MISUSED)
    listening = listening or _listen(settings)
    process = settings.orchestrator.model_copy(update={"port": listening.getsockname()[1]})
    settings = settings.model_copy(update={"orchestrator": process})
    application = Application(lambda: settings, clock, duty or ProcessRole.ALL)
    options = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        http=bounded_http(settings.api),
        timeout_keep_alive=settings.api.keep_alive_timeout,
        ws="websockets-sansio",
        ws_max_size=_HEARD_BYTES,
        ssl_certfile=settings.orchestrator.tls_cert,
        ssl_keyfile=settings.orchestrator.tls_key,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = GracefulServer(options, application, is_detached=detached)
    for number in (signal.SIGTERM, signal.SIGINT):  # the server raises them again when it has ended
        signal.signal(number, lambda *_: None)
    address = ":".join(str(part) for part in listening.getsockname()[:2])
    scheme = "https" if settings.orchestrator.tls_cert else "http"
    typer.echo(f"storecrew serves {scheme}://{address} (data in {settings.data_dir})", err=True)
    try:
        server.run(sockets=[listening])
    except SystemExit as error:  # it could not start, and has said why
        raise typer.Exit(FAILED) from error


def _listen(settings: "Settings") -> "socket.socket":
    import socket

    host, port = settings.orchestrator.host, settings.orchestrator.port
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        problem = (
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port"
        )
        fail(problem, code=MISUSED)
    return listening
