"""Reports from the shell: what campaigns and prices brought, and whether customers fare alike."""

from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.output import (
    handle_errors,
    print_text,
    show_fields,
    show_json,
    show_lines,
    show_table,
)
from storecrew.cli.session import with_plane
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app.bootstrap import ControlPlane
    from storecrew.reports.campaign_lift import Bounds, CampaignReport
    from storecrew.reports.fairness import FairnessReport
    from storecrew.reports.price_impact import PriceImpactReport

campaigns = typer.Typer(no_args_is_help=True, help="See what campaigns brought.")
prices = typer.Typer(no_args_is_help=True, help="See what price changes brought.")


def register(program: typer.Typer) -> None:
    """Hang the commands on the program."""
    program.command()(briefing)
    program.command()(fairness)
    program.add_typer(campaigns, name="campaigns")
    program.add_typer(prices, name="prices")


@handle_errors
def briefing(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show yesterday's trade, what the crew did, what waits for you, what failed and would help.

    Example: storecrew briefing
    """
    from storecrew.app.briefing import daily_briefing  # costs what `--help` need not pay
    from storecrew.reports.briefing import lines

    found = with_plane(data_dir, daily_briefing)
    if as_json:
        show_json(found)
        return
    show_lines(lines(found))


@campaigns.command("list")
@handle_errors
def list_campaigns(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List campaigns, newest first, with what they brought.

    Example: storecrew campaigns list
    """
    from storecrew.reports.campaign_lift import reports  # costs what `--help` need not pay

    async def work(plane: "ControlPlane") -> "list[CampaignReport]":
        currency = plane.settings.store.currency
        return list(await reports(plane.store, plane.clock.now(), currency))

    found = with_plane(data_dir, work)
    if as_json:
        show_json({"campaigns": found})
        return
    columns = ("name", "started", "written to", "left out", "orders more", "sold more", "so far")
    rows = [
        (
            each.name,
            f"{each.started_at:%Y-%m-%d}",
            each.recipients,
            each.holdout,
            _points(each.order_rate_lift),
            f"{each.sold_more} {each.currency}" if each.sold_more is not None else "-",
            each.verdict,
        )
        for each in found
    ]
    show_table(plural(len(found), "campaign"), columns, rows)


@campaigns.command("show")
@handle_errors
def show_campaign(
    name: Annotated[str, typer.Argument(help="The campaign's name.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show what one campaign brought, with the bounds of what is known.

    Example: storecrew campaigns show "win-back 2026-W10"
    """
    from storecrew.reports.campaign_lift import report  # costs what `--help` need not pay

    found = with_plane(
        data_dir,
        lambda p: report(p.store, name, p.clock.now(), p.settings.store.currency),
    )
    if as_json:
        show_json(found)
        return
    show_fields(
        {
            "name": found.name,
            "segment": found.segment,
            "title": found.title,
            "counted": f"{found.started_at:%Y-%m-%d} to {found.ends_at:%Y-%m-%d}"
            + ("" if found.over else ", not over yet"),
            "written to": found.recipients,
            "left out": found.holdout,
            "ordered": _share(found.order_rate),
            "ordered of those left out": _share(found.order_rate_holdout),
            "orders more": _points(found.order_rate_lift),
            "spent each": _amount(found.value, found.currency),
            "spent each of those left out": _amount(found.value_holdout, found.currency),
            "spent more each": _money(found.value_lift, found.currency),
            "sold more": _amount(found.sold_more, found.currency),
            "so far": found.verdict,
        }
    )


@prices.command("impact")
@handle_errors
def impact(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Compare what the crew's price changes brought with what it expected of them.

    Example: storecrew prices impact
    """
    from storecrew.reports.price_impact import (
        price_impact_report,  # costs what `--help` need not pay
    )

    async def work(plane: "ControlPlane") -> "PriceImpactReport":
        currency = plane.settings.store.currency
        return await price_impact_report(plane.store, plane.journal, plane.clock.now(), currency)

    found = with_plane(data_dir, work)
    if as_json:
        show_json(found)
        return
    columns = ("product", "set on", "from", "to", "sells", "bounds", "expected", "gain in 28 days")
    rows = [
        (
            each.sku,
            f"{each.at:%Y-%m-%d}",
            each.price_before or "-",
            each.price,
            f"x {each.ratio}" if each.ratio is not None else "-",
            f"{each.low} to {each.high}" if each.low is not None else "-",
            f"x {each.expected_ratio}" if each.expected_ratio is not None else "-",
            f"{each.gain or '-'} of {each.expected_gain or '-'}",
        )
        for each in found.changes
    ]
    title = f"{len(found.changes)} price changes, {found.as_expected} of {found.judged} as expected"
    show_table(title, columns, rows)
    if found.gain is not None:
        print_text(f"in all {found.gain} in 28 days each, expected {found.expected_gain}")


@handle_errors
def fairness(
    days: Annotated[int, typer.Option(min=1, max=730, help="Days looked back.")] = 180,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Compare prices, offers and answers between groups of customers.

    Example: storecrew fairness --days 90
    """
    from storecrew.reports.fairness import fairness_report  # costs what `--help` need not pay

    async def work(plane: "ControlPlane") -> "FairnessReport":
        return await fairness_report(plane.store, plane.clock.now(), days=days)

    found = with_plane(data_dir, work)
    if as_json:
        show_json(found)
        return
    columns = ("measure", "by", "group", "customers", "value", "ratio", "bounds", "gap")
    rows = [
        (
            finding.measure,
            finding.by,
            each.group,
            each.count,
            f"{each.value:.3f}",
            f"{each.ratio:.2f}" if each.ratio is not None else "-",
            f"{each.low:.2f} to {each.high:.2f}"
            if each.low is not None and each.high is not None
            else "-",
            "look" if each.flagged else "",
        )
        for finding in found.findings
        for each in finding.groups
    ]
    show_table(f"{len(found.gaps)} gaps in {days} days", columns, rows)


def _points(bounds: "Bounds | None") -> str:
    """Return a difference of shares in percentage points."""
    if bounds is None:
        return "-"
    if bounds.low is None or bounds.high is None:
        return f"{bounds.mean:+.1%}"
    return f"{bounds.mean:+.1%} ({bounds.low:+.1%} to {bounds.high:+.1%})"


def _money(bounds: "Bounds | None", currency: str) -> str:
    """Return a difference of amounts."""
    if bounds is None:
        return "-"
    if bounds.low is None or bounds.high is None:
        return f"{bounds.mean:+.2f} {currency}"
    return f"{bounds.mean:+.2f} {currency} ({bounds.low:+.2f} to {bounds.high:+.2f})"


def _share(value: float | None) -> str:
    return f"{value:.1%}" if value is not None else "-"


def _amount(value: float | None, currency: str) -> str:
    return f"{value:.2f} {currency}" if value is not None else "-"
