"""`storecrew demo`: the crew in a made-up shop, beside a plain owner in the same one."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storecrew.cli.options import ConfigFile, Json
from storecrew.cli.output import (
    Report as ProgressReport,
    handle_errors,
    print_text,
    progress_bar,
    show_json,
    show_table,
)
from storecrew.cli.serve import Port, serve
from storecrew.cli.session import read_settings, run_to_end

if TYPE_CHECKING:
    from storecrew.app import Settings
    from storecrew.backtest import TrialReport
    from storecrew.backtest.demo import DemoReport
    from storecrew.domain.money import Money


def register(app: typer.Typer) -> None:
    """Hang the commands on the program."""
    app.command()(demo)


@handle_errors
def demo(  # noqa: PLR0913 - options are read by name, like a form
    days: Annotated[int, typer.Option(min=1, max=3650, help="Virtual days to run.")] = 60,
    seed: Annotated[int, typer.Option(help="Which shop; the same seed is the same shop.")] = 7,
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="End after the summary, without serving the shop.")
    ] = False,
    data_dir: Annotated[
        Path, typer.Option("--data-dir", help="Folder of the made-up shop; it is made anew.")
    ] = Path("demo"),
    port: Port = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Run a simulated shop with the crew and with a plain owner, compare them, then serve it.

    The plain owner reorders weekly up to four weeks of average sales, keeps list prices and
    answers orders and customers the next morning. Profit is margin less what complaints (5.00
    each) and called back payments cost.

    Example: storecrew demo --days 60 --seed 7 --no-serve --json
    """
    with progress_bar(quiet=as_json, lines=True) as progress:
        progress("Loading the product", 0, None)
        settings = read_settings(data_dir, config, port=port)
        report = _run(settings, days, seed, progress)
    if as_json:
        show_json(summary(report))
    else:
        _show(report)
    if not no_serve:
        _serve(settings, days)


def _run(settings: "Settings", days: int, seed: int, progress: ProgressReport) -> "DemoReport":
    from storecrew.app.logging_config import warn_on_terminal
    from storecrew.backtest.demo import run_demo  # the whole product, which `--help` need not load

    with warn_on_terminal(settings):
        return run_to_end(lambda: run_demo(settings, days=days, seed=seed, progress=progress))


def _serve(settings: "Settings", days: int) -> None:
    from storecrew.backtest.demo import ShiftedClock, demo_settings, end_of

    serve(demo_settings(settings), ShiftedClock.going_on_from(end_of(days)))


def summary(report: "DemoReport") -> dict[str, Any]:
    """Return what `--json` prints: amounts are plain numbers in the currency named."""
    return {
        **_figures(report.crew),
        "seed": report.seed,
        "currency": report.crew.revenue.currency,
        "proposals": report.proposals,
        "applied": report.applied,
        "asked": report.asked,
        "denied": report.denied,
        "refused": report.refused,
        "audit_entries": report.audit_entries,
        "discrepancies": report.discrepancies,
        "baseline": _figures(report.baseline),
    }


def _figures(report: "TrialReport") -> dict[str, Any]:
    return {
        "days": report.days,
        "orders": report.orders,
        "revenue": float(report.revenue.amount),
        "margin": float(report.margin.amount),
        "profit": float(report.profit.amount),
        "lost_sales": float(report.lost_sales.amount),
        "stock_value": float(report.stock_value.amount),
        "on_time": round(report.on_time, 4),
        "cancelled": report.cancelled,
        "returns": report.returns,
        "late": report.late,
        "complaints": report.complaints,
    }


def _show(report: "DemoReport") -> None:
    crew, owner = report.crew, report.baseline
    rows = [
        ("orders", crew.orders, owner.orders, _change(crew.orders, owner.orders)),
        _money("revenue", crew.revenue, owner.revenue),
        _money("margin", crew.margin, owner.margin),
        _money("profit", crew.profit, owner.profit),
        _money("lost sales", crew.lost_sales, owner.lost_sales),
        _money("stock value", crew.stock_value, owner.stock_value),
        ("on time", f"{crew.on_time:.1%}", f"{owner.on_time:.1%}", ""),
        (
            "complaints",
            crew.complaints,
            owner.complaints,
            _change(crew.complaints, owner.complaints),
        ),
    ]
    title = f"{crew.days} days, seed {report.seed}"
    show_table(title, ("", "crew", "plain owner", "difference"), rows)
    wrong = report.discrepancies
    books = f"{wrong} lines of the books do not add up" if wrong else "the books add up"
    print_text(
        f"{report.proposals} proposals: {report.applied} applied, {report.asked} asked, "
        f"{report.denied} denied, {report.refused} refused by the store.\n"
        f"{report.audit_entries} audit entries; {books}."
    )


def _money(name: str, crew: "Money", owner: "Money") -> tuple[str, object, object, str]:
    return name, crew, owner, _change(crew.amount, owner.amount)


def _change(crew: Decimal | int, owner: Decimal | int) -> str:
    return f"{float(crew) / float(owner) - 1:+.1%}" if owner else ""
