"""What each agent is worth: the simulated shop for half a year, each agent switched off in turn.

The same seeds with the plain owner, the whole crew, and the crew without one agent. Differences
are paired by seed; intervals are 95 % (Student). Results are kept in a file as they come, so a run
that was cut off goes on where it stopped.

    python benchmarks/ablation.py --seeds 10 --days 180 --jobs 2 --results ablation.json --write
"""

import argparse
import asyncio
import json
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev

from scipy.stats import t as student

from storecrew.app import load_settings
from storecrew.backtest import TrialReport
from storecrew.backtest.demo import demo_settings
from storecrew.backtest.experiments import TrialSettings, crew_trial, plain_trial

PAGE = Path(__file__).parents[1] / "docs" / "agents.md"
PLAIN, WHOLE = "plain owner", "whole crew"
AGENTS = {
    "product_research": ("product_research",),
    "demand forecasting": ("inventory_forecasting",),
    "inventory": ("inventory",),
    "pricing": ("pricing_optimizer",),
    "marketing": ("marketing_automation",),
    "personalization": ("personalization",),
    "order management": ("order_management",),
    "customer communications": ("customer_communications",),
    "customer support": ("customer_support",),
    "anomaly resolver": ("anomaly_resolver",),
    "coordinator": ("coordinator",),
}
"""What is switched off, by the name of the row."""
FIGURES = ("profit", "margin", "lost_sales", "late", "complaints", "cancelled", "orders")


def run(row: str, trial: TrialSettings) -> dict[str, float]:
    """Run one trial in a folder of its own and return its figures."""
    if row == PLAIN:
        return figures(plain_trial(trial))
    off = AGENTS.get(row, ())
    with tempfile.TemporaryDirectory() as folder:
        flags = {
            "orchestrator": {"data_dir": folder},
            "agents": {name: {"enabled": False} for name in off},
        }
        settings = demo_settings(load_settings(flags=flags, environ={}))
        tally = asyncio.run(crew_trial(settings, trial))
    if tally.discrepancies:
        raise SystemExit(f"{row}, seed {trial.seed}: the books do not add up")
    return figures(tally.crew) | {"proposals": tally.proposals, "applied": tally.applied}


def figures(report: TrialReport) -> dict[str, float]:
    found = {}
    for name in FIGURES:
        value = getattr(report, name)
        found[name] = float(getattr(value, "amount", value))
    return found


def interval(values: list[float]) -> str:
    """Return mean and half width of the 95 % interval of the mean."""
    if len(values) < 2:
        return f"{fmean(values):+,.0f}"
    half = student.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return f"{fmean(values):+,.0f} ± {half:,.0f}"


def table(results: dict[str, dict[str, float]], seeds: list[int]) -> str:
    """Return the table in Markdown: the whole crew, and what changes without each agent."""
    whole = {s: results[f"{WHOLE}/{s}"] for s in seeds if f"{WHOLE}/{s}" in results}
    lines = [
        "| | seeds | profit (EUR) | margin | lost sales | late orders | complaints | cancelled |",
        "|---|---|---|---|---|---|---|---|",
    ]
    shown = ("profit", "margin", "lost_sales", "late", "complaints", "cancelled")
    means = [f"{fmean(each[name] for each in whole.values()):,.0f}" for name in shown]
    lines.append(f"| **{WHOLE}** | {len(whole)} | " + " | ".join(means) + " |")
    for row in (PLAIN, *AGENTS):
        pairs = [
            (results[f"{row}/{s}"], each) for s, each in whole.items() if f"{row}/{s}" in results
        ]
        if not pairs:
            continue
        name = row if row == PLAIN else f"without {row}"
        differences = [interval([a[key] - b[key] for a, b in pairs]) for key in shown]
        lines.append(f"| {name} | {len(pairs)} | " + " | ".join(differences) + " |")
    won = sum(
        each["profit"] > results[f"{PLAIN}/{s}"]["profit"]
        for s, each in whole.items()
        if f"{PLAIN}/{s}" in results
    )
    compared = sum(f"{PLAIN}/{s}" in results for s in whole)
    lines.append(f"\nThe whole crew earns more than the plain owner on {won} of {compared} seeds.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--size", type=int, default=120, help="products")
    parser.add_argument("--step", type=int, default=4, help="hours between two looks")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", help="rows to run; all when left out")
    parser.add_argument("--results", type=Path, default=Path("ablation.json"))
    parser.add_argument("--table", action="store_true", help="print what is there, run nothing")
    parser.add_argument("--write", action="store_true", help="put the table into docs/agents.md")
    args = parser.parse_args()
    results = json.loads(args.results.read_text()) if args.results.exists() else {}
    seeds = list(range(1, args.seeds + 1))
    rows = args.only or [PLAIN, WHOLE, *AGENTS]
    wanted = [(row, s) for s in seeds for row in rows if f"{row}/{s}" not in results]
    wanted = [] if args.table else wanted
    units = 55.0 * args.size / 120
    with ProcessPoolExecutor(args.jobs) as pool:
        running = {}
        for row, seed in wanted:
            trial = TrialSettings(
                days=args.days, seed=seed, size=args.size, units=units, step=args.step
            )
            running[pool.submit(run, row, trial)] = f"{row}/{seed}"
        for done in as_completed(running):
            results[running[done]] = done.result()
            args.results.write_text(json.dumps(results, indent=1, sort_keys=True))
            print(f"{len(results)}: {running[done]}", file=sys.stderr, flush=True)
    shop = f"{args.days} days, {args.size} products, a look every {args.step} hours"
    text = f"{datetime.now(UTC):%Y-%m-%d}, {shop}.\n\n{table(results, seeds)}"
    print(text)
    if args.write:
        publish(text)


def publish(text: str) -> None:
    """Put the table in place of the one on the crew's page."""
    begin, end = "<!-- ablation -->", "<!-- /ablation -->"
    page = PAGE.read_text("utf-8")
    before, after = page.partition(begin)[0], page.partition(end)[2]
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")


if __name__ == "__main__":
    main()
