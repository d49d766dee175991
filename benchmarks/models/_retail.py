"""Online Retail (UCI, CC BY 4.0) as daily units per product: one reading for demand and stock.

Rows with a positive quantity below 10,000 and a positive price, no cancellations, stock codes of
five digits and letters. Products: at least 40 selling days and a first sale more than 120 days
before the cut, the 250 with the highest revenue before it.
"""

import os
import re
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

SHARED = Path(os.environ.get("STORECREW_SHARED") or Path(__file__).resolve().parents[3] / "shared")
FILE = SHARED / "data" / "online_retail.parquet"


@dataclass(frozen=True)
class Retail:
    first: date
    skus: list[str]
    units: np.ndarray
    """[products, days]"""
    revenue: np.ndarray

    def day(self, day: date) -> int:
        return (day - self.first).days

    def chosen(self, before: int, count: int = 250) -> "Retail":
        """Return the best-selling products as known before that day."""
        sold = self.units[:, :before] > 0
        begun = np.where(sold.any(1), sold.argmax(1), before)
        fit = (sold.sum(1) >= 40) & (before - begun > 120)
        revenue = np.where(fit, self.revenue[:, :before].sum(1), -1.0)
        rows = np.sort(np.argsort(-revenue, kind="stable")[: min(count, int(fit.sum()))])
        skus = [self.skus[n] for n in rows]
        return Retail(self.first, skus, self.units[rows], self.revenue[rows])


def read(file: Path = FILE) -> Retail:
    """Return all products; where the data are absent, say so and end."""
    if not file.exists():
        print(f"{file} is absent: nothing to measure")
        sys.exit(0)
    import pyarrow.parquet as pq

    columns = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice"]
    table = pq.read_table(file, columns=columns)
    invoice, code = (table[name].to_pylist() for name in columns[:2])
    quantity, price = (table[name].to_numpy().astype(float) for name in ("Quantity", "UnitPrice"))
    days = table["InvoiceDate"].to_numpy().astype("datetime64[D]")
    code = [str(each).upper() for each in code]
    product = np.array([bool(re.fullmatch(r"\d{5}[A-Z]*", each)) for each in code])
    kept = np.array([not str(each).startswith("C") for each in invoice]) & product
    kept &= (quantity > 0) & (quantity < 10_000) & (price > 0)
    skus, row = np.unique(np.array(code)[kept], return_inverse=True)
    column = (days[kept] - days.min()).astype(int)
    shape = (len(skus), int((days.max() - days.min()).astype(int)) + 1)
    units, revenue = np.zeros(shape), np.zeros(shape)
    np.add.at(units, (row, column), quantity[kept])
    np.add.at(revenue, (row, column), (quantity * price)[kept])
    return Retail(days.min().astype(date), skus.tolist(), units, revenue)
