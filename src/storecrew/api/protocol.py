"""HTTP on the wire, with a bound on what comes before a request can be looked at."""

import json
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_UNREAD = 2_000_000
"""Bytes of headers held for a request that is not complete. Above the application's own bound,
so that who sends a little too much gets an answer."""


class BoundedHttp(HttpToolsProtocol):
    """Hangs up on endless headers and trailers; says in JSON what is no HTTP."""

    _unread = 0
    _progress = False

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and count those that complete nothing."""
        self._progress = False
        super().data_received(data)
        self._unread = 0 if self._progress else self._unread + len(data)
        if self._unread > MAX_UNREAD and not self.transport.is_closing():
            self.logger.warning("%s sent %d bytes of headers", self.client, self._unread)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._progress = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body in."""
        self._progress = True
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, in the shape of every error, and hang up."""
        content = {
            "error": "Bad Request",
            "status_code": HTTPStatus.BAD_REQUEST,
            "message": msg,
            "path": "",
            "request_id": "",
        }
        body = json.dumps(content).encode()
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        )
        self.transport.write(head + body)
        self.transport.close()
