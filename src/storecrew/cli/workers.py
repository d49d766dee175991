"""`storecrew api` and `storecrew worker`: the API and the crew, each in its own process."""

from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import ConfigFile, DataDir
from storecrew.cli.output import handle_errors
from storecrew.cli.serve import Host, Port, serve
from storecrew.cli.session import read_settings
from storecrew.cli.startup import uncollected

if TYPE_CHECKING:
    from storecrew.app import Settings


def register(app: typer.Typer) -> None:
    """Hang the commands on the program."""
    for command in (api, worker):
        app.command()(command)


@handle_errors
def api(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Serve the API alone; the crew runs in `storecrew worker`.

    Example: storecrew api --port 8000
    """
    from storecrew.app.control_plane import ProcessRole  # not needed for `--help`

    serve(read_settings(data_dir, config, host=host, port=port), duty=ProcessRole.API)


@handle_errors
def worker(
    name: Annotated[
        str, typer.Option(help="Unique among workers.", show_default="the data folder")
    ] = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Run the crew without the API, until SIGTERM or Ctrl-C.

    With DATABASE_URL any number of workers share the work; over SQLite files there is one.

    Example: storecrew worker --name worker-1
    """
    import asyncio  # not needed for `--help`

    with uncollected():
        asyncio.run(_work(read_settings(data_dir, config), name))


async def _work(settings: "Settings", name: str) -> None:
    import asyncio
    import signal

    from storecrew.app.bootstrap import open_plane
    from storecrew.app.control_plane import ProcessRole
    from storecrew.app.gc_tuning import set_start_up_aside
    from storecrew.app.logging_config import configure_logs
    from storecrew.app.sentry import report_errors

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with configure_logs(settings), report_errors(settings):
        async with open_plane(settings, duty=ProcessRole.WORKER, name=name):
            set_start_up_aside()
            typer.echo(f"storecrew works (data in {settings.data_dir})", err=True)
            await stopped.wait()
