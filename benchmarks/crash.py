"""kill -9 of the whole process under load, again and again: nothing answered is lost or doubled.

8 clients order over HTTP (some approve, pay and fulfil too), 200 events a second arrive, a person
answers questions; what got no answer is repeated with the same key. After the last restart all
comes to rest, and every answer is held against the files, `storecrew verify` and the runs.
"""

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
from pathlib import Path

from storecrew.testing.live.crash_test import CrashPlan, Survival, run_crash_test
from storecrew.testing.live.load import Load

_SHOWN = 10


def figures(survival: Survival) -> dict[str, object]:
    heard, account, ready = survival.heard, survival.account, survival.ready_seconds
    return {
        "kills": survival.kills,
        "orders answered": len(heard.orders),
        "orders by event": len(heard.mails),
        "moves answered": len(heard.moves) - len(heard.orders),
        "payments answered": len(heard.payments),
        "events acknowledged": len(heard.events),
        "orders/s while up": round(len(heard.orders) / survival.up_seconds),
        "events/s while up": round(len(heard.events) / survival.up_seconds),
        "questions seen": len(heard.questions),
        "questions approved": len(heard.approved),
        "requests repeated": heard.counts["repeated"],
        "answers 503": heard.counts["busy"],
        "ready after, p50 s": round(statistics.median(ready), 2),
        "ready after, max s": round(max(ready), 2),
        "at rest after, s": round(survival.settle_seconds, 1),
        "runs": dict(survival.runs),
        "exit code": survival.exit_code,
        "wrong answers": len(heard.wrong),
        "lost": len(account.lost),
        "doubled": len(account.doubled),
        "unfinished": len(account.unfinished),
        "failed runs": len(account.failed),
        "discrepancies": len(survival.problems),
    }


def named(survival: Survival) -> list[str]:
    heard, account = survival.heard, survival.account
    lists = {
        "wrong answer": heard.wrong,
        "lost": account.lost,
        "doubled": account.doubled,
        "unfinished": account.unfinished,
        "failed": account.failed,
        "verify": survival.problems,
    }
    return [f"{kind}: {each}" for kind, found in lists.items() for each in found[:_SHOWN]]


def main() -> int:
    """Print the account; exit 1 when a promise was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--think", type=float, default=0.05, help="seconds between two orders")
    parser.add_argument("--events", type=float, default=200, help="events a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="an empty folder for the data, kept afterwards")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    crashes = CrashPlan(kills=options.kills, seed=options.seed)
    load = Load(
        clients=options.clients, think_seconds=options.think, events_per_second=options.events
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no server is left behind
    with tempfile.TemporaryDirectory() as temporary:
        survival = asyncio.run(run_crash_test(options.keep or Path(temporary), crashes, load))
    if options.json:
        print(json.dumps({**figures(survival), "named": named(survival)}, indent=2))
    else:
        for name, value in figures(survival).items():
            print(f"{name:<22}{value!s:>12}")
        print(*named(survival), sep="\n")
    return int(not survival.holds)


if __name__ == "__main__":
    sys.exit(main())
