"""`storecrew up`: the API and the crew in one process."""

from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import ConfigFile, DataDir
from storecrew.cli.output import FAILED, MISUSED, fail, told
from storecrew.cli.session import read_settings

if TYPE_CHECKING:
    import socket

    from storecrew.app import Settings
    from storecrew.domain.ports import Clock

Host = Annotated[
    str | None, typer.Option(help="Address to listen on.", show_default="as configured")
]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port; 0 takes a free one.", show_default="as configured"),
]

_GRACE_SECONDS = 10
"""How long requests under way may take once the server was asked to stop."""


def register(app: typer.Typer) -> None:
    """Hang the commands on the program."""
    app.command()(up)


@told
def up(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Serve the API and run the crew, until SIGTERM or Ctrl-C.

    Without a key (API_KEY_ROYALGPT) only this machine may call.

    Example: storecrew up --port 8000 --data-dir shop
    """
    serve(read_settings(data_dir, config, host=host, port=port))


def serve(settings: "Settings", clock: "Clock | None" = None) -> None:
    """Serve until told to stop; ends the command with 2 where it must not or cannot listen."""
    import signal  # none of these is needed for `--help`

    import uvicorn

    from storecrew.api.asgi import Application
    from storecrew.api.auth import door_problem

    if reason := door_problem(settings):
        fail(reason, code=MISUSED)
    listening = _listen(settings)
    options = uvicorn.Config(
        Application(lambda: settings, clock),
        log_config=None,
        access_log=False,
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(options)
    for number in (signal.SIGTERM, signal.SIGINT):  # the server raises them again when it has ended
        signal.signal(number, lambda *_: None)
    address = ":".join(str(part) for part in listening.getsockname()[:2])
    typer.echo(f"storecrew serves http://{address} (data in {settings.data_dir})", err=True)
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
        said = f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port"
        fail(said, code=MISUSED)
    return listening
