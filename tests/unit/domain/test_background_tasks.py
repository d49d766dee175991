"""Work in the background: whatever ends it, it runs again, and until then it is reported."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from storecrew.domain.background_tasks import BackgroundTasks

DEADLINE = 10  # seconds: a guard against hanging, far above what is needed


@pytest.fixture
async def background() -> AsyncIterator[BackgroundTasks]:
    tasks = BackgroundTasks(first_pause=0.0, recovered_after=0.0)
    yield tasks
    await tasks.close()


class Work:
    """Work that ends as often as it is told to, in the given way, and then runs for ever."""

    def __init__(self, *ends: BaseException | None) -> None:
        self.ends = list(ends)
        self.begun = 0
        self.runs = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        if not self.ends:
            self.runs.set()
            await asyncio.Event().wait()
        if (end := self.ends.pop(0)) is not None:
            raise end


@pytest.mark.parametrize(
    "end",
    [
        OSError(24, "Too many open files"),
        MemoryError(),
        RecursionError(),
        KeyError("x"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        TimeoutError(),
        ExceptionGroup("many", [ValueError("x")]),
        None,
    ],
    ids=repr,
)
async def test_work_that_ends_is_started_again(
    background: BackgroundTasks, end: Exception | None
) -> None:
    work = Work(end, end)
    task = background.start("limits", work)
    async with asyncio.timeout(DEADLINE):
        await work.runs.wait()
        while background.failing:  # noqa: ASYNC110 - a report, not a signal
            await asyncio.sleep(0)
    assert (work.begun, task.done()) == (3, False)


async def test_work_that_is_not_there_is_reported_by_name_and_reason() -> None:
    background = BackgroundTasks(first_pause=3600)
    works = {"limits": Work(OSError(24, "Too many open files")), "alerts": Work(None)}
    tasks = [background.start(name, work) for name, work in {**works, "models": Work()}.items()]
    async with asyncio.timeout(DEADLINE):
        while len(background.failing) < 2:  # noqa: ASYNC110 - a report, not a signal
            await asyncio.sleep(0)
    assert dict(background.failing) == {
        "limits": "OSError(24, 'Too many open files')",
        "alerts": "it ended",
    }
    await background.close()
    assert all(task.cancelled() for task in tasks)


async def test_the_end_of_the_process_ends_the_work(background: BackgroundTasks) -> None:
    work = Work()
    task = background.start("models", work)
    await work.runs.wait()
    await background.close()
    assert task.cancelled()
    assert not background.failing
