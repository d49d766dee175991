"""How time and memory of demand models grow with the shop: 1,000, 10,000 and 30,000 series.

Online Retail's best-selling products, repeated with noise (each day's units are Poisson about a
gamma multiple of the original's), two years of days. One process per size, one core.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from _report import cpu, parser, peak_mb, publish, table
from _retail import read

from storecrew.models.demand import DemandHistory, train

SIZES = (1_000, 10_000, 30_000)
PLOT = Path(__file__).parents[2] / "docs" / "images" / "growth.svg"


def grown(series: int) -> DemandHistory:
    """Return that many series of two years, made of those of Online Retail."""
    data = read()
    chosen = data.chosen(data.units.shape[1], 500)
    chance = np.random.default_rng(0)
    rows = chance.integers(0, len(chosen.units), series)
    units = np.empty((series, 2 * chosen.units.shape[1]), dtype=np.float32)
    for n, row in enumerate(rows):
        mean = np.tile(chosen.units[row], 2) * chance.gamma(4, 0.25)
        units[n] = chance.poisson(mean)
    return DemandHistory(first=data.first, series=[f"S{n}" for n in range(series)], units=units)


def once(series: int) -> None:
    """Train and forecast in this process, and print what it took as JSON."""
    history = grown(series)
    before, began = peak_mb(), cpu()
    start = time.perf_counter()
    model = train(history)
    trained = cpu()
    made = model.forecast(history)
    figures = {
        "series": series,
        "train": trained - began,
        "forecast": cpu() - trained,
        "wall": time.perf_counter() - start,
        "before": before,
        "peak": peak_mb(),
        "served": lookups(made.series, made.of),
    }
    print(json.dumps(figures))


def lookups(names: list[str], of: object) -> float:
    """Return the microseconds that one series' forecast takes to look up."""
    began = time.perf_counter()
    for name in names[:1000]:
        of(name)  # type: ignore[operator]
    return (time.perf_counter() - began) / min(1000, len(names)) * 1e6


def plot(found: list[dict[str, float]]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growth"
    from matplotlib import pyplot

    sizes = [each["series"] for each in found]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3))
    left.plot(sizes, [each["wall"] / 60 for each in found], marker="o")
    left.set(xlabel="series", ylabel="minutes, one core", ylim=(0, None))
    right.plot(sizes, [each["peak"] / 1024 for each in found], marker="o", color="tab:orange")
    right.set(xlabel="series", ylabel="GB at most", ylim=(0, None))
    figure.tight_layout()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--once", type=int, help="measure one size in this process")
    given = arguments.parse_args()
    if given.once:
        once(given.once)
        return
    read()
    found = []
    for size in SIZES:
        command = [sys.executable, __file__, "--once", str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    rows = [
        [
            f"{each['series']:,}",
            f"{each['train']:.0f}",
            f"{each['forecast']:.0f}",
            f"{each['wall'] / 60:.1f}",
            f"{(each['train'] + each['forecast']) / each['series'] * 1000:.1f}",
            f"{each['peak']:.0f}",
            f"{(each['peak'] - each['before']) * 1024 / each['series']:.0f}",
            f"{each['served']:.1f}",
        ]
        for each in found
    ]
    headers = ["series of two years", "training, CPU s", "forecast, CPU s", "minutes in all"]
    headers += ["ms per series", "MB at most", "KB per series", "µs to look one up"]
    body = table(headers, rows)
    if given.write:
        plot(found)
    if PLOT.exists():
        body += "\n\n![Time and memory by the number of series](images/growth.svg)"
    publish("models-growth", body, command="python benchmarks/models/growth.py", write=given.write)


if __name__ == "__main__":
    main()
