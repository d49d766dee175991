"""Sales history of another system, brought into the ledger."""

import csv
import os
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from ledger_shop import Shop, euro, lines

from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.orders import OrderQuery, OrderStatus, PlaceOrder
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.stores.sql.importing import ImportOptions, import_online_retail

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)


def at(day: int, month: int = 12) -> datetime:
    return datetime(2010, month, day, 8, 26)  # noqa: DTZ001 - the layout has no zones


GOOD = [
    ("100001", "10001", "RED CUP", 6, at(1), 2.5, 17850, "UK"),
    ("100001", "10001", "RED CUP", 4, at(1), 2.5, 17850, "UK"),
    ("100001", "10002a", "Blue cup", 1, at(1), 3.0, 17850, "UK"),
    ("100001", "POST", "POSTAGE", 1, at(1), 18.0, 17850, "UK"),
    ("100002", "10001", "RED CUP ", 2, at(2), 2.75, 17850, "UK"),
    ("100002", "10001", "RED CUP ", 1, at(2), 2.5, 17850, "UK"),
    ("C100003", "10001", "RED CUP", -3, at(3), 2.5, 17850, "UK"),
    ("C100003", "10001", "RED CUP", -12, at(3), 2.5, 17850, "UK"),
    ("100004", "10003", "VASE", 28, at(4), 1.0, None, "UK"),
    ("100005", "10003", "VASE", 1, at(20), 1.25, 12345, "UK"),
]
BAD = [
    ("100006", None, "nothing", 1, at(5), 1.0, None, "UK"),
    ("100006", "10001", "lost", 1, at(5), 0.0, None, "UK"),
    ("100006", "10001", "damaged", -5, at(5), 1.0, None, "UK"),
    ("100006", "10001", "cup", 0, at(5), 1.0, None, "UK"),
    ("A100007", "B", "Adjust bad debt", 1, at(5), 11062.06, None, "UK"),
    ("C100008", "10001", "cup", 5, at(5), 1.0, None, "UK"),
    ("100009", "10001", "cup", 5, at(5), 0.001, None, "UK"),
    ("100009", "10001", "cup", 2_000_000, at(5), 1.0, None, "UK"),
]
UNTYPED = [
    ("100010", "10001", "cup", "many", at(5), 1.0, None, "UK"),
    ("100010", "10001", "cup", "1.5", at(5), 1.0, None, "UK"),
    ("100010", "10001", "cup", "nan", at(5), 1.0, None, "UK"),
    ("100010", "10001", "cup", 1, "soon", 1.0, None, "UK"),
    ("100010", "10001", "cup", 1, at(5), "free", None, "UK"),
    ("100010", "10001", "cup", 1, at(5), "inf", None, "UK"),
]


def write_csv(path: Path, rows, *, encoding: str = "utf-8", dates: str = "%m/%d/%Y %H:%M") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row in rows:
            cells = [c.strftime(dates) if isinstance(c, datetime) else c for c in row]
            writer.writerow(["" if cell is None else cell for cell in cells])
    return path


def write_excel(path: Path, rows) -> Path:
    book = openpyxl.Workbook()
    for row in (HEADER, *rows):
        book.active.append(row)
    book.save(path)
    return path


def write_parquet(path: Path, rows) -> Path:
    columns = {name: [row[location] for row in rows] for location, name in enumerate(HEADER)}
    table = pa.table(columns)
    stamped = table.column("InvoiceDate").cast(pa.timestamp("ns"))
    pq.write_table(table.set_column(4, "InvoiceDate", stamped), path)
    return path


WRITERS = {".csv": write_csv, ".xlsx": write_excel, ".parquet": write_parquet}


@pytest.fixture
def imported(shop: Shop):
    async def run(path: Path, **options):
        told = {"progress": options.pop("progress")} if "progress" in options else {}
        return await import_online_retail(shop.store, path, ImportOptions(**options), **told)

    return run


@pytest.mark.parametrize("suffix", WRITERS)
async def test_history_comes_in_from_every_file_type(shop: Shop, imported, tmp_path, suffix: str):
    path = WRITERS[suffix](tmp_path / f"sales{suffix}", GOOD)

    report = await imported(path)

    assert (report.rows, report.orders, report.order_lines) == (10, 4, 7)
    assert (report.products, report.services, report.customers) == (3, 1, 2)
    assert (report.returns, report.unmatched_returns) == (3, 1)
    assert (report.summed_rows, report.mixed_prices) == (2, 1)
    assert report.skipped == {}
    assert any("UTC" in line for line in report.assumptions)
    assert list(await shop.store.verify()) == []


async def test_invoices_become_orders_that_were_paid_and_delivered(shop: Shop, imported, tmp_path):
    await imported(write_csv(tmp_path / "s.csv", GOOD))

    orders = {order.id: order for order in (await shop.store.orders(OrderQuery())).items}
    last = next(o for o in orders.values() if o.customer == "12345")
    assert (last.status, last.total, last.paid) == (
        OrderStatus.DELIVERED,
        euro("1.25"),
        euro("1.25"),
    )
    assert last.placed_at == datetime(2010, 12, 20, 8, 26, tzinfo=UTC)
    assert last.imported
    moves = await shop.store.order_transitions([last.id])
    assert [m.status.value for m in moves] == [
        "received",
        "approved",
        "awaiting_payment",
        "awaiting_delivery",
        "delivered",
    ]
    assert await shop.facts() == []
    sales = await shop.store.daily_sales(date(2010, 12, 1), date(2010, 12, 20))
    assert "10001" not in sales.units  # 13 were sold, and came back
    assert list(sales.units["10003"][3:5]) == [28, 0]


async def test_returned_goods_are_matched_with_the_latest_orders_first(
    shop: Shop, imported, tmp_path
):
    await imported(write_csv(tmp_path / "s.csv", GOOD))

    returned = (await shop.store.orders(OrderQuery(status=OrderStatus.RETURNED))).items
    # 15 came back: 3 of the second order's, 10 of the first's, and 2 that nobody sold.
    assert [order.total - order.paid for order in returned] == [euro("7.50"), euro("25.00")]


async def test_what_is_not_known_is_assumed_and_said(shop: Shop, imported, tmp_path):
    await imported(write_csv(tmp_path / "s.csv", GOOD))

    cup, vase = await shop.store.products(["10003", "10001"])
    assert (cup.name, cup.price, cup.cost) == ("RED CUP", euro("2.50"), euro("1.38"))
    assert set(cup.assumed) == {"cost", "stock", "supplier"}
    assert vase.supplier == "default"
    assert await shop.level("10003") == (15, 0)  # 29 in four weeks: 14.5 in two, rounded up
    post = await shop.store.product("POST")
    assert (post.stocked, post.cost, post.assumed) == (False, None, ())
    assert {m.reason for m in await shop.store.stock_movements()} == {"opening stock (assumed)"}


async def test_given_costs_and_counts_are_taken_as_given(shop: Shop, imported, tmp_path):
    costs, stock = tmp_path / "costs.csv", tmp_path / "stock.csv"
    costs.write_text("sku,cost\n10001,1.10\nghost,1\n")
    stock.write_text("sku,on_hand\n10001,77\n")

    report = await imported(write_csv(tmp_path / "s.csv", GOOD), costs=costs, stock=stock)

    product = await shop.store.product("10001")
    assert (product.cost, product.assumed) == (euro("1.10"), ("supplier",))
    assert await shop.level("10001") == (77, 0)
    assert any("1 products named" in line for line in report.assumptions)


@pytest.mark.parametrize("text", ["sku\n1\n", "sku,cost\n10001,-1\n", "sku,cost\n10001,x\n"])
async def test_a_wrong_cost_file_changes_nothing(shop: Shop, imported, tmp_path, text: str):
    costs = tmp_path / "costs.csv"
    costs.write_text(text)

    with pytest.raises(InvalidInput):
        await imported(write_csv(tmp_path / "s.csv", GOOD), costs=costs)

    assert list(await shop.store.products()) == []


async def test_bad_rows_are_counted_and_kept(shop: Shop, imported, tmp_path):
    path = write_csv(tmp_path / "s.csv", [*GOOD, *BAD, *UNTYPED])

    report = await imported(path)

    assert {reason: skipped.rows for reason, skipped in report.skipped.items()} == {
        "no stock code": 1,
        "price is zero or negative": 1,
        "sign of the quantity does not fit the invoice": 2,
        "quantity is zero": 1,
        "invoice is a correction, not a sale": 1,
        "price is less than the smallest coin": 1,
        "quantity is out of range": 1,
        "quantity is not a number": 2,
        "quantity is not a whole number": 1,
        "date cannot be read": 1,
        "price is not a number": 2,
    }
    assert report.skipped["no stock code"].examples == (12,)
    used = sum(skipped.rows for skipped in report.skipped.values())
    assert used + len(GOOD) == report.rows
    kept = await shop.store.database.read(
        lambda c: c.execute(sa.text("SELECT COUNT(*) FROM import_rejects")).scalar_one()
    )
    assert kept == len(BAD) + len(UNTYPED)


async def test_an_import_repeated_adds_nothing_and_continued_adds_the_rest(
    shop: Shop, imported, tmp_path
):
    path = write_csv(tmp_path / "s.csv", [*GOOD, *BAD])

    first = await imported(path, until=date(2010, 12, 2))
    again = await imported(path, until=date(2010, 12, 2))
    rest = await imported(path)

    assert (first.orders, first.returns, first.rows_after) == (2, 0, 12)
    assert (again.orders, again.order_lines, again.products, again.known_invoices) == (0, 0, 0, 2)
    assert (rest.orders, rest.returns, rest.products, rest.rows_after) == (2, 3, 1, 0)
    assert (await shop.store.orders(OrderQuery())).total == 4


async def test_an_imported_shop_goes_on_trading(shop: Shop, imported, tmp_path):
    await imported(write_csv(tmp_path / "s.csv", GOOD))
    old = next(o for o in (await shop.store.orders(OrderQuery())).items if o.customer == "12345")

    await shop.done(AcceptReturn(order_id=old.id))
    new = await shop.order_at(OrderStatus.DELIVERED, **{"10003": 2})
    await shop.done(CreatePurchaseOrder(sku="10003", quantity=10))

    assert new > old.id
    assert await shop.level("10003") == (14, 0)


async def test_progress_is_told_in_rows(imported, tmp_path):
    told: list[tuple[int, int]] = []

    await imported(
        write_csv(tmp_path / "s.csv", GOOD), progress=lambda done, of: told.append((done, of))
    )

    assert told == [(8, 10), (10, 10)]


async def test_old_exports_and_iso_dates_are_read(shop: Shop, imported, tmp_path):
    rows = [("100001", "10001", "CAFÉ £1", 1, at(1), 2.5, 17850, "UK")]

    await imported(write_csv(tmp_path / "s.csv", rows, encoding="cp1252", dates="%Y-%m-%d %H:%M"))

    assert (await shop.store.product("10001")).name == "CAFÉ £1"


@pytest.mark.parametrize(("name", "text"), [("s.txt", ""), ("s.csv", "a,b\n1,2\n"), ("s.csv", "")])
async def test_a_file_of_another_layout_is_refused(imported, tmp_path, name: str, text: str):
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(InvalidInput):
        await imported(path)
    with pytest.raises(InvalidInput):
        await imported(tmp_path / "missing.csv")


async def test_an_unfitting_live_order_is_never_matched(shop: Shop, imported, tmp_path):
    await shop.stocked(**{"10001": 5})
    await shop.done(PlaceOrder(lines=lines(**{"10001": 5}), customer="17850"))

    report = await imported(write_csv(tmp_path / "s.csv", [GOOD[6]], dates="%Y-%m-%d"))

    assert (report.returns, report.unmatched_returns) == (1, 1)


def _shared() -> Path:
    beside = Path(__file__).parents[4] / "shared"
    return Path(os.environ.get("STORECREW_SHARED", beside)) / "data" / "online_retail.parquet"


@pytest.mark.data
async def test_a_slice_of_the_published_file_adds_up(shop: Shop, imported, tmp_path):
    if not (source := _shared()).is_file():
        pytest.skip("no shared data folder beside the checkout, nor at STORECREW_SHARED")
    with pq.ParquetFile(source) as file:
        batch = next(file.iter_batches(6000))
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "slice.parquet")

    report = await imported(tmp_path / "slice.parquet")

    assert report.rows == 6000
    assert report.orders > 200
    assert report.returns > report.unmatched_returns
    skipped = sum(reason.rows for reason in report.skipped.values())
    assert 0 < skipped < 0.02 * report.rows
