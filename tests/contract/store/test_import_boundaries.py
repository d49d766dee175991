"""Files as people really have them: detected and shown, refused with the line, taken back."""

import csv
import io
import random
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from ledger_shop import Shop, euro, lines

from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.money import Money
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import ApproveOrder, OrderQuery, PlaceOrder
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.stores.sql.importing import (
    ImportOptions,
    import_online_retail,
    list_imports,
    undo_import,
)
from storecrew.stores.sql.importing.formats import FormatDetector
from storecrew.stores.sql.importing.parse import BadRow, parse
from storecrew.stores.sql.importing.sources import open_source
from support.shared_cases import shared_case

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def row(number: int = 1, **changes: object) -> str:
    cells = {
        "invoice": 700000 + number, "code": "30001", "name": "TIN", "units": 2,
        "at": "2025-05-01 08:26", "price": "2.55", "customer": 17001, "country": "UK",
    } | changes  # fmt: skip
    return ",".join(str(cell) for cell in cells.values())


def csv_file(folder: Path, *rows: str, name: str = "s.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Return a shop whose clock stands after every date that is meant."""
    shop.clock.at = datetime(2026, 9, 1, tzinfo=UTC)
    return shop


async def bring(shop: Shop, path: Path, **options: object):
    return await import_online_retail(shop.store, path, ImportOptions(**options))  # type: ignore[arg-type]


async def days(shop: Shop) -> list[str]:
    orders = (await shop.store.orders(OrderQuery(per_page=200))).items
    return sorted(f"{order.placed_at:%Y-%m-%d}" for order in orders)


async def test_day_and_month_are_told_apart_by_all_rows(shop: Shop):
    report = await bring(shop, shared_case("import/16-dayfirst_slash.csv"))
    assert report.format["dates"] == "day/month/year"
    assert (await days(shop))[0] == "2025-12-01"


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        (["01/02/2024", "13/02/2024"], ["2024-02-01", "2024-02-13"]),
        (["01/02/2024", "02/13/2024"], ["2024-01-02", "2024-02-13"]),
        (["01.02.2024", "02.03.2024"], ["2024-02-01", "2024-03-02"]),
        (["1/2/24 3:04 PM", "28/2/24 3:04 AM"], ["2024-02-01", "2024-02-28"]),
        (["2024/02/01", "2024/03/02"], ["2024-02-01", "2024-03-02"]),
        (["01-02-2024 10:00:05", "31-12-2024 00:00"], ["2024-02-01", "2024-12-31"]),
        (["2024-02-01T10:00:00Z", "2024-03-02T10:00:00+02:00"], ["2024-02-01", "2024-03-02"]),
        (["20240201", "20240302"], ["2024-02-01", "2024-03-02"]),
    ],
)
async def test_a_column_of_dates_is_read_in_one_way(shop: Shop, tmp_path, dates, found):
    path = csv_file(tmp_path, *(row(n, at=each) for n, each in enumerate(dates)))
    await bring(shop, path)
    assert await days(shop) == found


@pytest.mark.parametrize("at", ["01/02/2024", "12/12/2024 09:00", "03-04-2024", "05/06/24"])
async def test_dates_that_fit_two_ways_are_asked_about(shop: Shop, tmp_path, at):
    path = csv_file(tmp_path, row(at=at))
    with pytest.raises(InvalidInput, match="--dates dmy or --dates mdy"):
        await bring(shop, path)
    assert (await bring(shop, path, dates="dmy")).orders == 1


async def test_a_column_that_is_written_in_two_ways_is_asked_about(shop: Shop, tmp_path):
    path = csv_file(tmp_path, row(1, at="13/02/2024"), row(2, at="02/13/2024"))
    with pytest.raises(InvalidInput, match="fit several ways"):
        await bring(shop, path)


@pytest.mark.parametrize(
    ("price", "amount"),
    [("2,55", "2.55"), ("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("€ 2.55", "2.55"),
     ("2.55 EUR", "2.55"), ("1'234.50", "1234.50"), ("1 234,50", "1234.50"), (".55", "0.55"),
     ("0,555", "0.56"), ("1,234,567.00", "1234567.00"), ("12", "12.00"), ("£2.55", "2.55")],
)  # fmt: skip
async def test_amounts_are_read_by_their_decimal_mark(shop: Shop, tmp_path, price, amount):
    path = csv_file(tmp_path, row(price=f'"{price}"'))
    await bring(shop, path)
    assert (await shop.store.product("30001")).price == euro(amount)


async def test_an_amount_that_fits_two_ways_is_asked_about(shop: Shop, tmp_path):
    path = csv_file(tmp_path, row(price='"1,234"'))
    with pytest.raises(InvalidInput, match="--decimal point or --decimal comma"):
        await bring(shop, path)
    await bring(shop, path, decimal="point")
    assert (await shop.store.product("30001")).price == euro("1234")


@pytest.mark.parametrize(
    ("currency", "text", "mark"),
    [("JPY", "1,200", "point"), ("JPY", "1.200", "comma"), ("KWD", "1.250", "point")],
)
def test_the_coins_of_a_currency_tell_its_decimal_mark(currency, text, mark):
    detector = FormatDetector(currency)
    detector.look([(None, None, None, None, None, text, None, None)])
    assert detector.formats().decimal == mark


async def test_a_quotation_mark_that_is_not_closed_is_refused_with_its_line(shop: Shop):
    with pytest.raises(InvalidInput, match="line 4: a quotation mark"):
        await bring(shop, shared_case("import/17-unbalanced_quote_pair.csv"))
    assert (await shop.store.orders(OrderQuery())).total == 0


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        ([row(1), row(2, name='"16in STAND'), row(3), row(4)], 3),
        ([row(1, name='"STAND'), row(2), row(3, name='TIN"')], 2),
        ([row(1), row(2), row(3, code='"30001'), row(4, name='"TIN"')], 4),
        ([row(1), row(2, customer='"17001'), row(3)], 3),
        ([row(1), row(2, country='"UK'), row(3), row(4, country='"UK')], 3),
    ],
)
async def test_lines_that_a_quotation_mark_swallows_are_found(shop: Shop, tmp_path, bad, line):
    with pytest.raises(InvalidInput, match=f"line {line}: a quotation mark"):
        await bring(shop, csv_file(tmp_path, *bad))


async def test_names_with_quotes_commas_and_line_breaks_are_names(shop: Shop, tmp_path):
    names = ['16" STAND', "Tea, green", "two\nlines", 'a "quoted" word', "semi;colon", "tab\tbed"]
    out = io.StringIO()
    writer = csv.writer(out)
    for n, name in enumerate(names):
        at = "2025-05-01 08:26"
        writer.writerow([700000 + n, f"3000{n}", name, 1, at, "2.55", 17001, "UK"])
    path = tmp_path / "s.csv"
    path.write_text(HEADER + "\n" + out.getvalue(), "utf-8")
    assert (await bring(shop, path)).orders == len(names)
    found = {product.name for product in await shop.store.products()}
    assert found == {" ".join(name.split()) for name in names}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": "5.01235E+12"}, "stock code was shortened"),
        ({"code": "1E+05"}, "stock code was shortened"),
        ({"price": "5012345678900"}, "price is out of range"),
        ({"price": "1e400"}, "price is"),
        ({"units": "5012345678900"}, "quantity is out of range"),
        ({"at": "0001-01-01T00:00:00+05:00"}, "date is before 1990"),
        ({"at": "9999-12-31T23:59:59-05:00"}, "date is in the future"),
        ({"at": "2999-01-01"}, "date is in the future"),
        ({"at": "2024-02-30"}, "date cannot be read"),
        ({"name": "a,b"}, "has 9 cells where the header has 8"),
        ({"invoice": ""}, "invoice number is missing"),
        ({"invoice": "x" * 99}, "invoice number is missing"),
        ({"code": "x" * 300}, "stock code is not one line"),
        ({"price": "n/a"}, "price is not a number"),
        ({"units": "∞"}, "quantity is not a number"),
        ({"price": "٣٫٥"}, "price is"),
    ],
)
async def test_a_bad_row_is_skipped_with_its_line_and_reason(shop: Shop, tmp_path, changes, reason):
    path = csv_file(tmp_path, row(1, code="30002"), "", row(2, **changes), row(3, code="30002"))
    report = await bring(shop, path)
    assert (report.rows, report.orders) == (3, 2)
    ((said, skipped),) = report.skipped.items()
    assert reason in said
    assert skipped.examples == (4,)
    assert [p.sku for p in await shop.store.products()] == ["30002"]


async def test_identifiers_stay_as_they_are_written(shop: Shop, tmp_path):
    codes = ["01234", "1234", "LAMP-OAK-S", "2.0", "VERSION 2.0", "A/B", "00123"]
    names = ["CARD GAME VERSION 2.0", *codes[1:]]
    pairs = zip(codes, names, strict=True)
    path = csv_file(tmp_path, *(row(n, code=c, name=x) for n, (c, x) in enumerate(pairs)))
    await bring(shop, path)
    found = {product.sku: product for product in await shop.store.products()}
    assert found.keys() == {"01234", "1234", "LAMP-OAK-S", "2", "VERSION 2.0", "A/B", "00123"}
    assert found["01234"].name == "CARD GAME VERSION 2.0"
    assert all(product.stocked for product in found.values())


async def test_letters_in_a_code_are_goods_unless_told_otherwise(shop: Shop, tmp_path):
    await bring(shop, shared_case("import/42-letters-in-sku.csv"))
    assert (await shop.store.product("LAMP-OAK-S")).stocked
    path = csv_file(tmp_path, row(1, code="POST"), row(2, code="GIFT-WRAP"), row(3, code="CUP-A"))
    await bring(shop, path, services=("gift-wrap",))
    stocked = {p.sku: p.stocked for p in await shop.store.products(["POST", "GIFT-WRAP", "CUP-A"])}
    assert stocked == {"POST": False, "GIFT-WRAP": False, "CUP-A": True}


async def test_what_is_dated_after_now_is_counted_and_no_part_of_now(shop: Shop):
    report = await bring(shop, shared_case("import/20-future-typo.csv"))
    skipped = report.skipped.get("date is in the future")
    assert skipped is not None
    assert report.orders + skipped.rows == report.rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
async def test_encoding_and_separator_are_detected_and_shown(
    shop: Shop, tmp_path, encoding, separator
):
    text = f"Export of May\n\n{HEADER}\n{row(name='GRÜNE SCHALE')}\n".replace(",", separator)
    path = tmp_path / "s.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    report = await bring(shop, path)
    assert report.format["encoding"] == encoding.removesuffix("-sig")
    assert report.format["separator"] in {"comma", "semicolon", "tab", "bar"}
    assert (await shop.store.product("30001")).name == "GRÜNE SCHALE"


async def test_the_semicolons_of_a_german_spreadsheet_are_read(shop: Shop):
    report = await bring(shop, shared_case("import/42-semicolons-cp1252.csv"))
    assert report.orders == 1
    assert report.format == {
        "encoding": "cp1252", "separator": "semicolon", "dates": "day/month/year",
        "decimal mark": "comma",
    }  # fmt: skip
    assert (await shop.store.product("30001")).name == "GRÜNE SCHALE"


@pytest.mark.parametrize("case", ["15-dimension-a1", "15-title-line-first"])
async def test_a_workbook_is_read_whatever_it_claims_of_itself(shop: Shop, case):
    assert (await bring(shop, shared_case(f"import/{case}.xlsx"))).orders > 0


async def test_every_sheet_is_looked_at(shop: Shop, tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["nothing here"])
    for n in (1, 2):
        sheet = book.create_sheet(f"Sales {n}")
        sheet.append(["Sales of the year"])
        sheet.append(HEADER.split(","))
        sheet.append([f"70000{n}", "30001", "TIN", 1, datetime(2025, 5, n), 2.5, 1, "UK"])  # noqa: DTZ001
    book.save(tmp_path / "s.xlsx")
    report = await bring(shop, tmp_path / "s.xlsx")
    assert (report.orders, report.format["sheets"]) == (2, "Sales 1, Sales 2")
    assert report.format["sheets without the columns"] == "Notes"


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("a.txt", "no workbook")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("s.xlsx", lambda p: p.write_bytes(b"PK\3\4 not a zip")),
        ("s.xlsx", lambda p: p.write_text("a,b")),
        ("s.xlsx", _zip),
        ("s.xlsx", lambda p: openpyxl.Workbook().save(p)),
        ("s.parquet", lambda p: p.write_bytes(b"PAR1nothingPAR1")),
        ("s.parquet", lambda p: pq.write_table(pa.table({"a": [1]}), p)),
        ("s.csv", lambda p: p.write_bytes(b"\0" * 100)),
        ("s.csv", lambda p: p.write_text("")),
        ("s.csv", lambda p: p.write_text("a;b\n1;2")),
        ("s.csv", lambda p: p.mkdir()),
        ("s.xls", lambda p: p.write_text("")),
    ],
)
async def test_what_is_no_such_file_is_refused_in_one_sentence(shop: Shop, tmp_path, name, make):
    make(tmp_path / name)
    with pytest.raises(InvalidInput):
        await bring(shop, tmp_path / name)
    assert await list_imports(shop.store) == []


async def test_an_import_is_taken_back_as_a_whole(shop: Shop, tmp_path):
    first = csv_file(
        tmp_path, row(1), row(2, code="30002"), "C700003,30001,TIN,-1,2025-06-01,2.55,17001,UK"
    )
    report = await bring(shop, first)
    undone = await undo_import(shop.store, report.id)
    assert (undone.orders, undone.returns, undone.products, undone.customers) == (2, 1, 2, 1)
    assert list(await shop.store.products()) == []
    assert list(await shop.store.customers()) == []
    assert await shop.store.stock_movements() == []
    assert list(await shop.store.verify()) == []
    assert [each.status for each in await list_imports(shop.store)] == ["undone"]
    with pytest.raises(NotFound):
        await undo_import(shop.store, report.id)
    assert (await bring(shop, first)).orders == 2


async def test_a_return_from_a_later_file_is_taken_back_alone(shop: Shop, tmp_path):
    await bring(shop, csv_file(tmp_path, row(1)))
    back = "C700003,30001,TIN,-2,2025-06-01,2.55,17001,UK"
    later = await bring(shop, csv_file(tmp_path, back, name="later.csv"))
    (order,) = (await shop.store.orders(OrderQuery())).items
    assert order.status.value == "returned"
    await undo_import(shop.store, later.id)
    (order,) = (await shop.store.orders(OrderQuery())).items
    assert (order.status.value, order.paid) == ("delivered", order.total)
    assert list(await shop.store.verify()) == []


async def test_taking_back_orders_leaves_the_returns_of_other_files(shop: Shop, tmp_path):
    first = await bring(shop, csv_file(tmp_path, row(1)))
    back = "C700003,30001,TIN,-2,2025-06-01,2.55,17001,UK"
    await bring(shop, csv_file(tmp_path, back, name="later.csv"))
    undone = await undo_import(shop.store, first.id)
    assert (undone.orders, undone.products_kept) == (1, 1)
    assert list(await shop.store.verify()) == []


async def test_what_went_on_since_is_not_taken_back(shop: Shop, tmp_path):
    report = await bring(shop, csv_file(tmp_path, row(1)))
    (order,) = (await shop.store.orders(OrderQuery())).items
    await shop.done(AcceptReturn(order_id=order.id))
    with pytest.raises(InvalidInput, match=f"order {order.id} of this import went on"):
        await undo_import(shop.store, report.id)
    assert list(await shop.store.verify()) == []


async def test_products_that_are_used_by_now_are_kept(shop: Shop, tmp_path):
    report = await bring(shop, csv_file(tmp_path, row(1), row(2, code="30002")))
    await shop.done(SetStock(levels=(StockCount(sku="30001", on_hand=9),)))
    await shop.done(PlaceOrder(lines=lines(**{"30001": 1})))
    undone = await undo_import(shop.store, report.id)
    assert (undone.products, undone.products_kept) == (1, 1)
    assert list(await shop.store.verify()) == []
    await shop.done(ApproveOrder(order_id=(await shop.store.orders(OrderQuery())).items[0].id))


async def test_a_corrected_file_takes_the_place_of_the_wrong_one(shop: Shop, tmp_path):
    wrong = csv_file(tmp_path, row(1, price="255", at="01/02/2025"), row(2, code="5.0E+12"))
    first = await bring(shop, wrong, dates="mdy")
    right = csv_file(tmp_path, row(1, at="01/02/2025"), row(2, code="30002", at="01/02/2025"))
    second = await bring(shop, right, dates="dmy")
    assert (second.repaired, second.orders) == (first.id, 2)
    assert await days(shop) == ["2025-02-01", "2025-02-01"]
    assert (await shop.store.product("30001")).price == euro("2.55")
    assert [each.status for each in await list_imports(shop.store)] == ["done", "undone"]
    assert list(await shop.store.verify()) == []


async def test_a_correction_that_would_lose_invoices_is_refused(shop: Shop, tmp_path):
    first = await bring(shop, csv_file(tmp_path, row(1), row(2)))
    with pytest.raises(InvalidInput, match=f"storecrew import undo {first.id}"):
        await bring(shop, csv_file(tmp_path, row(1, units=9)))
    assert (await shop.store.orders(OrderQuery())).total == 2


async def test_an_import_that_fails_half_way_leaves_nothing(shop: Shop, tmp_path, monkeypatch):
    def fails(*_: object) -> None:
        raise RuntimeError("the disk")

    monkeypatch.setattr("storecrew.stores.sql.importing.run.returns.write_returns", fails)
    back = "C700003,30001,TIN,-2,2025-06-01,2.55,17001,UK"
    with pytest.raises(RuntimeError):
        await bring(shop, csv_file(tmp_path, row(1), back))
    assert (await shop.store.orders(OrderQuery())).total == 0
    assert list(await shop.store.products()) == []


async def test_a_dry_run_says_what_would_come_in_and_writes_nothing(shop: Shop, tmp_path):
    report = await bring(shop, csv_file(tmp_path, row(1), row(2, price="0")), dry_run=True)
    assert (report.dry_run, report.orders, report.id) == (True, 1, 0)
    assert len(report.skipped) == 1
    assert list(await shop.store.products()) == []


async def test_bulk_that_came_back_is_no_demand(shop: Shop):
    await bring(shop, shared_case("import/21-bulk-returned-same-day.csv"))
    first, last = datetime(2026, 1, 1, tzinfo=UTC).date(), datetime(2026, 12, 31, tzinfo=UTC).date()
    sales = await shop.store.daily_sales(first, last)
    assert "39999" not in sales.units


def good_file(seed: int) -> bytes:
    return "\n".join([HEADER, *(row(n, units=1 + n % seed) for n in range(20))]).encode()


@given(
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(0, 1500), st.binary(min_size=0, max_size=3)), max_size=8),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
def test_every_row_of_a_damaged_file_is_used_or_counted(tmp_path: Path, seed, edits) -> None:
    content = bytearray(good_file(seed))
    for place, piece in edits:
        content[place : place + 1] = piece
    path = tmp_path / "s.csv"
    path.write_bytes(bytes(content))
    problem, read = read_all(path)
    assert problem or read  # no file is passed by in silence


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_workbook_or_table_is_read_or_refused(tmp_path: Path, suffix, seed) -> None:
    path = tmp_path / f"s{suffix}"
    if suffix == ".xlsx":
        book = openpyxl.Workbook()
        for line in (HEADER.split(","), *(row(n).split(",") for n in range(9))):
            book.active.append(line)
        book.save(path)
    else:
        rows = [row(n).split(",") for n in range(9)]
        names = HEADER.split(",")
        pq.write_table(pa.table({n: [r[i] for r in rows] for i, n in enumerate(names)}), path)
    content, chance = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(1 + seed % 7):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(bytes(content[: len(content) - (seed % 3) * 40]))
    problem, read = read_all(path)
    assert problem or read  # no file is passed by in silence


def read_all(path: Path) -> tuple[str, int]:
    """Read the file as an import does; return why it was refused, and the rows used or counted.

    Only our own errors may come.
    """
    rows = 0
    try:
        source = open_source(path)
        detector = FormatDetector("EUR")
        detector.look(raw for _, raw in source.rows())
        formats = detector.formats()
        for number, raw in source.rows():
            rows += 1
            try:
                found = parse(number, raw, "EUR", formats)
                assert Money.from_minor(found.price, "EUR").amount > 0
            except BadRow:
                continue
    except InvalidInput as error:
        return error.problem, rows
    return "", rows
