"""`storecrew import`: a shop's history from files."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import (
    FAILED,
    fail,
    handle_errors,
    print_text,
    progress_bar,
    show_fields,
    show_json,
    show_table,
)
from storecrew.cli.session import with_books
from storecrew.domain.errors import InvalidInput

if TYPE_CHECKING:
    from storecrew.app.shop_books import ShopBooks
    from storecrew.stores.sql.importing import ImportReport, ImportUndone, ImportUnit

_EXAMPLES = 3
"""Lines shown per reason; `--json` has more."""

HistoryPath = Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet in this layout.")]
Until = Annotated[
    str, typer.Option(help="Last day to bring in, such as 2011-11-01.", show_default="all")
]
Costs = Annotated[
    Path | None, typer.Option(help="CSV of what products cost.", show_default="assumed")
]
Stock = Annotated[Path | None, typer.Option(help="CSV of stock levels.", show_default="assumed")]
Services = Annotated[
    list[str] | None, typer.Option(help="A code that is no goods, such as POST; repeatable.")
]
DateFormat = Annotated[str, typer.Option(help="dmy, mdy or ymd.", show_default="detected")]
Decimal = Annotated[str, typer.Option(help="point or comma.", show_default="detected")]
Encoding = Annotated[
    str, typer.Option(help="Of a text file, such as cp1250.", show_default="detected")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would come in.")]

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
    file: HistoryPath,
    until: Until = "",
    costs: Costs = None,
    stock: Stock = None,
    service: Services = None,
    dates: DateFormat = "",
    decimal: Decimal = "",
    encoding: Encoding = "",
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Bring in sales in the layout of the UCI Online Retail data set.

    Invoices become delivered orders, `C` invoices returns; unusable rows are counted by reason.
    Repeated, it adds nothing; a corrected file takes the place of the wrong one. Exits with 1
    where nothing could be read.

    Example: storecrew import online-retail online_retail.parquet --until 2011-11-01 --data-dir shop
    """
    last = _day(until) if until else None

    async def bring_in(books: "ShopBooks") -> "ImportReport":
        # pyarrow costs what `--help` need not pay
        from storecrew.stores.sql.importing import ImportOptions, import_online_retail

        options = ImportOptions(
            until=last,
            costs=costs,
            stock=stock,
            services=tuple(service or ()),
            dates=dates,
            decimal=decimal,
            encoding=encoding,
            dry_run=dry_run,
        )
        with progress_bar(quiet=as_json) as report:
            return await import_online_retail(
                books.store,
                file,
                options,
                progress=lambda done, total: report("rows", done, total),
            )

    found = with_books(data_dir, bring_in, config=config, create=True)
    show_json(found) if as_json else show_fields(_fields(found))
    if not (found.orders or found.returns or found.known_invoices):
        _end_without_rows(as_json)


def _end_without_rows(as_json: bool) -> NoReturn:
    if as_json:  # the report was the one document
        raise typer.Exit(FAILED)
    fail("nothing in this file could be brought in")


@app.command("list")
@handle_errors
def list_(data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """List every import, the newest first.

    Example: storecrew import list
    """

    async def read(books: "ShopBooks") -> "list[ImportUnit]":
        from storecrew.stores.sql.importing import list_imports  # pyarrow costs too much

        return await list_imports(books.store)

    found = with_books(data_dir, read, config=config)
    if as_json:
        show_json(found)
        return
    rows = [(each.id, each.source, each.status, each.invoices, each.at) for each in found]
    show_table(f"imports: {len(rows)}", ("import", "file", "status", "invoices", "at"), rows)


@app.command()
@handle_errors
def undo(
    number: Annotated[int, typer.Argument(min=1, help="The import, as `import list` numbers it.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take an import back as a whole: its orders, returns, customers and products.

    A product that something else refers to by now is kept.

    Example: storecrew import undo 1
    """

    async def take_back(books: "ShopBooks") -> "ImportUndone":
        from storecrew.stores.sql.importing import undo_import  # pyarrow costs too much

        return await undo_import(books.store, number)

    found = with_books(data_dir, take_back, config=config)
    if as_json:
        show_json(found)
        return
    counts = {name: getattr(found, name) for name in ("orders", "returns", "products", "customers")}
    print_text(f"Import {number} is taken back.")
    show_fields({**counts, "products kept": found.products_kept})


def _fields(report: "ImportReport") -> dict[str, object]:
    from dataclasses import fields

    counts = {each.name: getattr(report, each.name) for each in fields(report)}
    shown: dict[str, object] = dict(report.format)
    if report.id:
        shown["import"] = f"{report.id} (storecrew import undo {report.id} takes it back)"
    if report.repaired is not None:
        shown["corrects"] = f"import {report.repaired}, which was taken back"
    if report.dry_run:
        shown["dry run"] = "nothing was written"
    shown |= {
        name.replace("_", " "): n
        for name, n in counts.items()
        if type(n) is int and name not in ("id", "repaired")
    }
    for reason, skipped in report.skipped.items():
        first = ", ".join(str(row) for row in skipped.examples[:_EXAMPLES])
        more = ", …" if skipped.rows > _EXAMPLES else ""
        shown[f"skipped: {reason}"] = f"{skipped.rows} (line {first}{more})"
    for number, assumption in enumerate(report.assumptions, 1):
        shown[f"assumed ({number})"] = assumption
    return shown


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("--until", f"{text!r} is no day such as 2011-11-01") from None
