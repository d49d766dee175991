"""A process that begins a run and never ends it: somebody has to kill it."""

import asyncio
import sys

from storecrew.database import connect_for_library
from storecrew.orchestrator.durable import DurableEngine


async def work(url: str) -> None:
    engine = DurableEngine(connect_for_library(url), executor_id="here")

    async def execute(run_id: str) -> None:
        sys.stdout.write(f"{run_id}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    await engine.start(execute)
    await engine.submit("slow#1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
