"""The adapter of the durable-execution engine (DBOS): runs that survive kill -9."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID
from sqlalchemy.engine import Engine as SqlEngine

from storecrew.domain.errors import StorecrewError

APPLICATION_VERSION = "storecrew-1"
"""Fixed, so that an upgrade goes on with the runs that the version before it began. Raise it
only when the order of a run's steps changes."""
_PATIENCE_SECONDS = 5
"""How long `stop` waits for the engine to write down what has ended."""
_PRUNED_AT_ONCE = 500


class JsonSerializer(Serializer):
    """Keeps step results as JSON; the engine's own way (pickle) would run what is in the file."""

    def serialize(self, data: Any) -> str:
        """Return the value as JSON text."""
        return json.dumps(data, default=_error_to_json)

    def deserialize(cls, serialized_data: str) -> Any:  # noqa: N805 - the engine's own signature
        """Return the value of a JSON text."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """Return what the engine records beside each value."""
        return "storecrew_json"


def _error_to_json(value: object) -> object:
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "message": str(value)}
    raise TypeError(f"{type(value).__name__} is not JSON")


class DurableEngine:
    """Carries runs out on DBOS; there is one per process, as DBOS has one per process."""

    def __init__(self, engine: SqlEngine, *, executor_id: str) -> None:
        self._engine = engine
        self._executor_id = executor_id
        self._workflow: Callable[[str], Coroutine[Any, Any, None]] | None = None

    async def start(self, execute: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Launch the engine; runs that a crash interrupted are carried out again."""
        url = self._engine.url.render_as_string(hide_password=False)
        config: DBOSConfig = {
            "name": "storecrew",
            "system_database_url": url,
            "system_database_engine": self._engine,
            "application_version": APPLICATION_VERSION,
            "executor_id": self._executor_id,
            "serializer": JsonSerializer(),
            "max_executor_threads": 16,
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 1.0,
            "log_level": "WARNING",
        }
        logging.getLogger("dbos").propagate = False
        DBOS(config=config)

        async def workflow(run_id: str) -> None:  # the engine marks functions, not methods
            await execute(run_id)

        self._workflow = DBOS.workflow(name="execute")(workflow)
        DBOS.launch()

    async def submit(self, run_id: str) -> None:
        """Begin to carry the run out; returns once the engine has recorded it."""
        if self._workflow is None:
            raise EngineNotStarted
        with SetWorkflowID(run_id):
            await DBOS.start_workflow_async(self._workflow, run_id)

    async def prune(self, before: datetime) -> int:
        """Delete finished runs of before that moment from the engine's tables; count them."""
        done = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            end_time=before.isoformat(),
            limit=_PRUNED_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if done:
            await DBOS.delete_workflows_async([workflow.workflow_id for workflow in done])
        return len(done)

    async def stop(self) -> None:
        """Stop taking runs; those under way resume at the next start."""
        self._workflow = None
        loop = asyncio.get_running_loop()
        # The engine had put its own executor in the loop's place and is about to shut it down.
        executor = ThreadPoolExecutor()
        loop.set_default_executor(executor)
        destroy = partial(
            DBOS.destroy, workflow_completion_timeout_sec=_PATIENCE_SECONDS, destroy_registry=True
        )
        await loop.run_in_executor(executor, destroy)
        self._engine.dispose()


class EngineNotStarted(StorecrewError):
    """The engine was asked to carry a run out before it was started."""

    def __init__(self) -> None:
        super().__init__("the durable engine has not been started")
