"""A campaign to 10,000 people, a twentieth without a mailbox, its sender killed half-way.

The sender is `storecrew worker` over files, the mail server aiosmtpd on loopback, without a limit
on the pace. What arrived is counted at the server and held against the report of the shop.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from storecrew.testing.live.mail_test import Delivery, MailTrial, deliver


def figures(found: Delivery) -> dict[str, object]:
    report, inboxes = found.report, found.inboxes
    states = (report.sent, report.failed, report.suppressed, report.unknown)
    handled = inboxes.taken.total() + inboxes.refused.total()
    return {
        "queued": report.queued,
        "sent": report.sent,
        "failed (no mailbox)": report.failed,
        "suppressed (opted out)": report.suppressed,
        "unknown (under way when killed)": report.unknown,
        "adds up": sum(states) == report.queued,
        "kills": found.kills,
        "arrived": len(inboxes.taken),
        "arrived twice": len(found.twice),
        "arrived after an opt-out": len(found.unwanted),
        "seconds of sending": round(found.seconds, 1),
        "letters/s": round(handled / found.seconds),
    }


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = await deliver(Path(folder), MailTrial(recipients=given.recipients))
    shown = figures(found)
    print(json.dumps(shown, indent=2))
    is_well = shown["adds up"] and not found.twice and not found.unwanted
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
