"""`/ws`: what changes, as it changes, over one websocket."""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from starlette.responses import JSONResponse

from storecrew.api.errors import problem
from storecrew.api.update_hub import Subscriber, UpdateHub, hello
from storecrew.domain.control.updates import Topic

router = APIRouter()


@router.websocket("/ws")
async def live(
    websocket: WebSocket,
    topics: Annotated[str, Query(max_length=200)] = "",
    since: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
) -> None:
    """Tell what changes: JSON messages with `type`, `timestamp` and a growing `seq`.

    `topics` names what to hear of, separated by commas (all when empty). `since` replays what
    came after that `seq`; where that is too much or forgotten, or the client reads too slowly,
    one `reset` says to fetch the state anew and goes on from there.
    """
    chosen = _topics(topics)
    if isinstance(chosen, str):
        await websocket.send_denial_response(_unknown(websocket, chosen))
        return
    hub: UpdateHub = websocket.app.state.hub
    await websocket.accept()
    watcher = await hub.join(chosen, since)
    try:
        await websocket.send_text(hello(watcher.seen))
        await _until_gone(websocket, watcher)
    except WebSocketDisconnect:
        return
    finally:
        await hub.leave(watcher)


def _topics(text: str) -> list[Topic] | str:
    """Return the topics, or the first word that is none."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = next((word for word in words if word not in set(Topic)), None)
    return unknown or [Topic(word) for word in words] or list(Topic)


def _unknown(websocket: WebSocket, word: str) -> JSONResponse:
    message = f"topics: {word!r} is none of {', '.join(Topic)}"
    extras = {"fields": {"topics": message}}
    return problem(websocket.scope, 400, message, error="Invalid input", extras=extras)


async def _until_gone(websocket: WebSocket, watcher: Subscriber) -> None:
    """Tell the watcher until it hangs up. What it says is not listened to."""
    telling = asyncio.create_task(_tell(websocket, watcher), name="live-telling")
    try:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect):
            await telling


async def _tell(websocket: WebSocket, watcher: Subscriber) -> None:
    async for text in watcher.messages():
        await websocket.send_text(text)
