"""`storecrew import`: a shop's history from files."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import handle_errors, progress_bar, show_fields, show_json
from storecrew.cli.session import with_plane
from storecrew.domain.errors import InvalidInput

if TYPE_CHECKING:
    from storecrew.app.bootstrap import ControlPlane
    from storecrew.stores.sql.importing.report import ImportReport

_EXAMPLES = 3
"""Row numbers shown per reason; `--json` has more."""

app = typer.Typer(no_args_is_help=True, help="Bring in a shop's history.")


def register(program: typer.Typer) -> None:
    """Hang the commands on the program."""
    program.add_typer(app, name="import")


@app.callback()
def _group() -> None:
    """Bring in a shop's history."""


@app.command("online-retail")
@handle_errors
def online_retail(  # noqa: PLR0913 - options are read by name, like a form
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet in this layout.")],
    until: Annotated[
        str, typer.Option(help="Last day to bring in, such as 2011-11-01.", show_default="all")
    ] = "",
    costs: Annotated[
        Path | None, typer.Option(help="CSV of what products cost.", show_default="assumed")
    ] = None,
    stock: Annotated[
        Path | None, typer.Option(help="CSV of stock levels.", show_default="assumed")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Bring in sales in the layout of the UCI Online Retail data set.

    Invoices become delivered orders, `C` invoices returns; unusable rows are counted by reason.
    Repeated, it adds nothing.

    Example: storecrew import online-retail online_retail.parquet --until 2011-11-01 --data-dir shop
    """
    last = _day(until) if until else None

    async def bring_in(plane: "ControlPlane") -> "ImportReport":
        # pyarrow costs what `--help` need not pay
        from storecrew.stores.sql.importing import import_online_retail

        with progress_bar(quiet=as_json) as report:
            return await import_online_retail(
                plane.store,
                file,
                until=last,
                costs=costs,
                stock=stock,
                progress=lambda done, total: report("rows", done, total),
            )

    found = with_plane(data_dir, bring_in, config=config)
    if as_json:
        show_json(found)
    else:
        show_fields(_fields(found))


def _fields(report: "ImportReport") -> dict[str, object]:
    from dataclasses import fields

    counts = {each.name: getattr(report, each.name) for each in fields(report)}
    shown: dict[str, object] = {
        name.replace("_", " "): n for name, n in counts.items() if isinstance(n, int)
    }
    for reason, skipped in report.skipped.items():
        first = ", ".join(str(row) for row in skipped.examples[:_EXAMPLES])
        shown[f"skipped: {reason}"] = f"{skipped.rows} (rows {first}, …)"
    for number, assumption in enumerate(report.assumptions, 1):
        shown[f"assumed ({number})"] = assumption
    return shown


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("--until", f"{text!r} is no day such as 2011-11-01") from None
