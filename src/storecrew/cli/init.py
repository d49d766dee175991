"""`storecrew init`: a new shop, its settings file and its empty books."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.output import fail, handle_errors, show_result

if TYPE_CHECKING:
    from storecrew.app import Settings

_FILE = "storecrew.yaml"
Currency = Annotated[
    str, typer.Option(help="ISO 4217 code of the shop's money.", show_default="asked")
]
Zone = Annotated[str, typer.Option(help="Time zone, such as Europe/Berlin.", show_default="asked")]
Name = Annotated[str, typer.Option(help="What customers call the shop.", show_default="asked")]


def register(program: typer.Typer) -> None:
    """Hang the command on the program."""
    program.command()(init)


@handle_errors
def init(
    currency: Currency = "",
    zone: Zone = "",
    name: Name = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Begin a shop here: writes storecrew.yaml, where there is none, and makes empty books.

    Asks for what is not given. Amounts of money in the file are in the shop's currency; change
    them to your liking.

    Example: storecrew init --currency EUR --zone Europe/Berlin --name "Tea & Co"
    """
    from storecrew.app.new_shop import first_product, settings_file
    from storecrew.cli.session import read_settings, run_to_end

    path = Path(_FILE)
    is_new = not path.exists()
    if is_new:
        money = currency or typer.prompt("Currency (ISO 4217)", default="EUR")
        place = zone or typer.prompt("Time zone", default=_local_zone())
        called = name or typer.prompt("Name of the shop", default="My shop")
        _write(path, settings_file(money, place, called, data_dir))
    elif currency or zone or name:
        fail(f"there is a {_FILE} here already; change it there, then `storecrew init` alone")
    try:
        settings = read_settings(data_dir)
        run_to_end(lambda: _make_books(settings))
    except BaseException:
        if is_new:
            path.unlink(missing_ok=True)
        raise
    kept, in_currency = str(settings.data_dir), settings.store.currency
    show_result(
        as_json,
        {"file": _FILE, "data_dir": kept, "currency": in_currency, "zone": settings.policy.zone},
        f"The books are in {kept}, in {in_currency}; settings are in {_FILE}.\n"
        f"Next: {first_product(in_currency)}",
    )


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, "utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")


async def _make_books(settings: "Settings") -> None:
    from storecrew.app.bootstrap import open_plane  # costs what `--help` need not pay

    async with open_plane(settings):
        pass


def _local_zone() -> str:
    """Return this machine's time zone where it has an IANA name."""
    try:
        place = Path("/etc/localtime").resolve().as_posix()
    except OSError:
        return "UTC"
    name = place.partition("/zoneinfo/")[2]
    return name if "/" in name and not name.startswith(("Etc/", "posix/", "right/")) else "UTC"
