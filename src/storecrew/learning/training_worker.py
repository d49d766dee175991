"""One training, in a process of its own: an assignment on stdin, a lesson on stdout.

Each is a line of JSON, then bytes: what was learnt before, and what is learnt now.

Run by `ModelService`; not a command for people, who have `storecrew models train`.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, BinaryIO

from storecrew.domain.control.model_registry import ModelKind, TrainingResult
from storecrew.domain.errors import InvalidInput, StorecrewError
from storecrew.domain.ports.clock import FixedClock
from storecrew.learning.training import TrainingJob, run_training
from storecrew.stores.sql import open_store

MODULE = __name__
_GENTLY = 10
"""Niceness: whoever shops, and the crew, come first."""


def asked(task: TrainingJob, before: bytes) -> bytes:
    """Return an assignment with what was learnt before."""
    return task.to_json() + b"\n" + before


def written(lesson: TrainingResult) -> bytes:
    """Return a lesson as a line of JSON, then what was learnt."""
    head = {
        "skill": lesson.kind,
        "trained_at": lesson.trained_at.isoformat(),
        "first": lesson.first.isoformat() if lesson.first else None,
        "last": lesson.last.isoformat() if lesson.last else None,
        "fingerprint": lesson.fingerprint,
        "seconds": lesson.seconds,
        "facts": lesson.facts,
    }
    return json.dumps(head).encode() + b"\n" + lesson.content


def read(answer: bytes) -> TrainingResult:
    """Return the lesson; raises `InvalidInput` for a refusal, in its own words."""
    line, _, content = answer.partition(b"\n")
    head: Mapping[str, Any] = json.loads(line)
    if "refused" in head:
        raise InvalidInput(head["refused"], head["problem"])
    return TrainingResult(
        kind=ModelKind(head["skill"]),
        trained_at=datetime.fromisoformat(head["trained_at"]),
        first=_day(head["first"]),
        last=_day(head["last"]),
        fingerprint=head["fingerprint"],
        seconds=head["seconds"],
        facts=head["facts"],
        content=content,
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


async def _answer(task: TrainingJob, before: bytes) -> bytes:
    clock = FixedClock(datetime.fromisoformat(task.as_of))
    store = await open_store(task.store, clock=clock, currency=task.currency)
    try:
        return written(await run_training(task, store, before))
    except InvalidInput as error:
        return json.dumps({"refused": error.field, "problem": error.problem}).encode() + b"\n"
    finally:
        await store.close()


def _own_stdout() -> BinaryIO:
    """Return where the lesson goes; what libraries print goes to stderr from now on."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def main() -> None:
    """Do the training that stdin names."""
    os.nice(_GENTLY)
    out = _own_stdout()
    line, _, before = sys.stdin.buffer.read().partition(b"\n")
    try:
        answer = asyncio.run(_answer(TrainingJob.from_json(line), before))
    except StorecrewError as error:
        sys.exit(str(error))
    with out:
        out.write(answer)


if __name__ == "__main__":
    main()
