"""`python -m storecrew.testing.simulation`: many seeds, and the first line of each that broke."""

import argparse
import asyncio
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import structlog

from storecrew.testing.simulation.history import SimulatedRun, live
from storecrew.testing.simulation.seeded_defects import PLANTS


def one(seed: int, plant: str | None) -> SimulatedRun:
    """Live through one history in this process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    return asyncio.run(live(seed, PLANTS[plant] if plant else None))


def main() -> int:
    """Run the seeds; exit 1 when one broke a promise (with `--plant`: when none did)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--plant", choices=sorted(PLANTS), help="a defect that must be found")
    options = parser.parse_args()
    started = time.monotonic()
    totals = dict.fromkeys(("crashes", "troubles", "orders", "proposals"), 0)
    bad = 0
    seeds = range(options.first, options.first + options.seeds)
    with ProcessPoolExecutor(options.jobs) as pool:
        for history in pool.map(one, seeds, [options.plant] * len(seeds), chunksize=4):
            for name in totals:
                totals[name] += getattr(history, name)
            if history.broken:
                bad += 1
                sys.stdout.write(f"seed {history.seed}: {history.broken[0]}\n")
                if options.plant:
                    break
        pool.shutdown(cancel_futures=True)
    seconds = time.monotonic() - started
    summary = ", ".join(f"{count:,} {name}" for name, count in totals.items())
    sys.stdout.write(f"{len(seeds)} seeds, {bad} broken; {summary}; {seconds:.0f} s\n")
    return int(bad == 0) if options.plant else int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
