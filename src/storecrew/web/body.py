"""A body as it comes, unpacked no further than the limit: a bomb stops at its first bytes too many.

httpx would unpack whole parts, and a part of 64 kB can hold 64 MB.
"""

import zlib
from collections.abc import AsyncIterator
from typing import Protocol

ENCODINGS = "gzip, deflate"
"""What we ask for, and all that is understood."""


class BodyTooLarge(Exception):
    """The body has more bytes than are allowed."""


class BodyUnreadable(Exception):
    """The body is packed in a way that we never asked for, or damaged."""


class _Unpacking(Protocol):
    """A zlib object for decompression."""

    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


async def read_bounded(parts: AsyncIterator[bytes], encoding: str, limit: int) -> bytes:
    """Return the unpacked body; raises `BodyTooLarge` or `BodyUnreadable`."""
    named = encoding.strip().lower()
    if named in ("", "identity"):
        return await _plain(parts, limit)
    if named not in ("gzip", "x-gzip", "deflate"):
        raise BodyUnreadable(f"it is packed as {encoding[:40]!r}")
    return await _packed(parts, named == "deflate", limit)


async def _plain(parts: AsyncIterator[bytes], limit: int) -> bytes:
    read = bytearray()
    async for part in parts:
        read += part
        if len(read) > limit:
            raise BodyTooLarge
    return bytes(read)


async def _packed(parts: AsyncIterator[bytes], deflate: bool, limit: int) -> bytes:
    read = bytearray()
    unpacking: _Unpacking | None = None
    try:
        async for part in parts:
            if unpacking is None:
                unpacking = zlib.decompressobj(_window(part, deflate))
            read += unpacking.decompress(part, limit + 1 - len(read))
            if len(read) > limit or unpacking.unconsumed_tail:
                raise BodyTooLarge
    except zlib.error as error:
        raise BodyUnreadable("it is packed wrongly") from error
    if unpacking is not None and not unpacking.eof:
        raise BodyUnreadable("it ends too early")
    return bytes(read)


def _window(part: bytes, deflate: bool) -> int:
    """Return zlib's window bits: gzip, zlib, or bare deflate as some servers send it."""
    if not deflate:
        return 31
    return 15 if part[:1] == b"\x78" else -15
