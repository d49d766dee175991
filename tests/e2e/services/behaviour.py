"""A service that behaves as it is told to: `behaviour.py count`, `leak`, `hang`, ..."""

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


def say(*words: object) -> None:
    """Write a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def count(pause: str = "0.005") -> None:
    """Number its lines without end."""
    number = 0
    while True:
        os.write(1, b"%d %d\n" % (os.getpid(), number))
        number += 1
        time.sleep(float(pause))


def leak(megabytes: str = "200") -> None:
    """Take memory at once, and keep it."""
    held = bytearray(b"x") * (int(megabytes) << 20)
    time.sleep(3600)
    del held


def busy() -> None:
    """Use a whole core."""
    while True:
        pass


def deaf() -> None:
    """Ignore the request to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("deaf")
    time.sleep(3600)


def crash(code: str = "3") -> None:
    """End at once."""
    sys.exit(int(code))


def fork() -> None:
    """Have a child that ignores the request to end, and wait for it."""
    child = subprocess.Popen([sys.executable, __file__, "deaf"])
    say("child", child.pid)
    child.wait()


def orphan() -> None:
    """Have a child, and end without it."""
    child = subprocess.Popen([sys.executable, __file__, "deaf"])
    say("child", child.pid)
    time.sleep(0.3)
    sys.exit(1)


def flood(megabytes: str, kind: str = "lines") -> None:
    """Write so much as fast as it can, then wait."""
    if kind == "binary":
        block = bytes(range(256)) * 4096
        for _ in range(int(megabytes)):
            _all(block)
    else:
        number = 0
        while number * 64 < int(megabytes) << 20:
            _all(b"".join(b"%062d\n" % n + b"" for n in range(number, number + 1024)))
            number += 1024
    time.sleep(3600)


def _all(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def environment() -> None:
    """Write down its environment."""
    say(json.dumps(dict(os.environ)))
    time.sleep(3600)


def here() -> None:
    """Write down where and who it is."""
    say(json.dumps({"cwd": os.getcwd(), "uid": os.getuid()}))
    time.sleep(3600)


def serve(port: str, mood: str = "healthy") -> None:
    """Answer for its health; `mood` may name a file that holds how."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = mood
            if os.path.exists(mood):
                with open(mood, encoding="utf-8") as file:
                    said = file.read().strip()
            if said == "hang":
                time.sleep(3600)
            if said == "redirect":
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                return
            body = {"status": said, "service": "s", "timestamp": "2026-03-02T12:00:00"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    HTTPServer(("127.0.0.1", int(port)), Health).serve_forever()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
