"""`storecrew competitors`: whose pages are tracked, and what is understood of them."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.orders import apply
from storecrew.cli.output import (
    handle_errors,
    show_fields,
    show_json,
    show_result,
    show_table,
)
from storecrew.cli.session import with_plane
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.shop.catalog import CompetitorPage, CompetitorPrice, Product
    from storecrew.models.extraction import ProductPage

app = typer.Typer(no_args_is_help=True, help="Track competitors' prices on their pages.")

Sku = Annotated[str, typer.Argument(help="Our product's SKU.")]


@app.command()
@handle_errors
def add(
    sku: Sku,
    url: Annotated[str, typer.Argument(help="The competitor's page that sells the product.")],
    competitor: Annotated[
        str, typer.Option(help="The competitor's name.", show_default="the page's host")
    ] = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Look at a page, say what is understood of it, and track its price from now on.

    Adding a page again says that it is right: what it showed before is forgotten.

    Example: storecrew competitors add MUG-1 https://shop.example.com/mugs/blue
    """
    from storecrew.domain.shop.catalog import TrackCompetitorPage

    async def look(plane: "ControlPlane") -> "tuple[Product, ProductPage | None]":
        product = await plane.store.product(sku)
        page = await plane.web.page(url)
        await plane.web.forget(url)
        return product, page

    product, page = with_plane(data_dir, look, config=config)
    name = competitor or (urlsplit(url).hostname or url).removeprefix("www.")
    apply(TrackCompetitorPage(sku=sku, competitor=name, url=url), data_dir)
    problems = _problems(product, page)
    if as_json:
        show_json({"competitor": name, "sku": sku, "page": page, "problems": problems})
        return
    if page is not None:
        show_fields(
            {
                "name there": page.name or "not found",
                "name here": product.name,
                "price there": f"{page.price or 'not found'} {page.currency or ''}".strip(),
                "price here": product.price,
                "available": page.availability or "not said",
                "condition": page.condition or "not said",
            }
        )
    until = f" Its price is not used: {'; '.join(problems)}." if problems else ""
    show_result(False, None, f"The page of {name} is tracked for {sku}.{until}")


def _problems(product: "Product", page: "ProductPage | None") -> list[str]:
    """Return why the page's price would not be acted on as it is now."""
    if page is None or page.price is None:
        return [*(page.doubts if page else ()), "no price was found"]
    found = list(page.doubts)
    if page.currency != product.price.currency:
        found.append(f"it is in {page.currency or 'no known currency'}, not in the shop's")
    if page.availability in ("out_of_stock", "discontinued"):
        found.append("none is left there")
    if page.condition not in (None, "new"):
        found.append(f"the goods there are {page.condition}")
    return found


@app.command("list")
@handle_errors
def list_(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the tracked pages, each with the price that was seen there last.

    Example: storecrew competitors list
    """

    async def work(
        plane: "ControlPlane",
    ) -> "tuple[Sequence[CompetitorPage], Sequence[CompetitorPrice]]":
        return await plane.store.competitor_pages(), await plane.store.competitor_prices()

    pages, prices = with_plane(data_dir, work)
    seen = {(each.sku, each.competitor): each for each in prices}
    if as_json:
        items = [{"page": p, "price": seen.get((p.sku, p.competitor))} for p in pages]
        show_json({"items": items, "total": len(items)})
        return
    rows = []
    for page in pages:
        last = seen.get((page.sku, page.competitor))
        price, at = (last.price, f"{last.seen_at:%Y-%m-%d %H:%M}") if last else ("none", "")
        rows.append((page.sku, page.competitor, price, at, page.url))
    show_table(plural(len(rows), "page"), ("sku", "competitor", "price", "seen", "page"), rows)


@app.command()
@handle_errors
def remove(
    sku: Sku,
    competitor: Annotated[str, typer.Argument(help="The competitor, as the list names it.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """End the tracking of a page, and forget the price that was seen there.

    Example: storecrew competitors remove MUG-1 shop.example.com
    """
    from storecrew.domain.shop.catalog import UntrackCompetitorPage

    apply(UntrackCompetitorPage(sku=sku, competitor=competitor), data_dir)
    show_result(
        as_json,
        {"sku": sku, "competitor": competitor, "tracked": False},
        f"The page of {competitor} is tracked for {sku} no more.",
    )
