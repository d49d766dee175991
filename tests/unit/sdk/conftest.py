"""A plane that answers what it is told to, on loopback, and remembers what it was asked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


@dataclass
class Listener:
    """Answers by method and path; what it does not know is a 404."""

    answers: dict[tuple[str, str], list[tuple[int, object]]] = field(default_factory=dict)
    asked: list[tuple[str, str, object, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def will(self, method: str, path: str, status: int, content: object = None) -> None:
        """Answer so, after what was promised before; the last promise is kept for ever."""
        self.answers.setdefault((method, path), []).append((status, content))

    def paths(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _, _ in self.asked]

    def answer(self, method: str, path: str) -> tuple[int, object]:
        known = self.answers.get((method, path), [(404, {"message": f"no {path}"})])
        return known.pop(0) if len(known) > 1 else known[0]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            size = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(size)) if size else None
            listener.asked.append((self.command, self.path, body, dict(self.headers)))
            status, content = listener.answer(self.command, self.path)
            sent = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - the library's names

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://127.0.0.1:{server.server_port}"
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield listener
    server.shutdown()
    server.server_close()
    serving.join()
