"""storecrew as a supervisor of processes, beside supervisord, circus and pm2, in one run.

Bars: kill -9 to a new process that listens, p50 under 10 ms; 100 services started and stopped
within 1 s each; under 40 MB for them; memory limit acted on within 2 s; more than 100 MB/s of log
captured, no line lost or doubled; all 10 services adopted after kill -9 of the supervisor.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from _supervised import Circus, Job, Peer, Pm2, Storecrew, Supervisord, until
from storecrew.testing.live.process import cpu_seconds, resident_bytes

BAR_RESTART, BAR_HUNDRED, BAR_MEGABYTES, BAR_LIMIT, BAR_LOG = 10.0, 1.0, 40.0, 2.0, 100.0
SERVICES, KILLS, FLOOD_MB, ADOPTED = 100, 60, 128, 10
LINE = 64

_SERVICE = r"""
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static int listening(int port) {
  int s = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(s, (void *)&a, sizeof a) || listen(s, 64)) exit(9);
  return s;
}
static void flood(long megabytes) {
  static char block[64 * 1024 + 1]; long lines = megabytes * 16384;
  for (long n = 0; n < lines; n += 1024) {
    for (int i = 0; i < 1024; i++) sprintf(block + i * 64, "%063ld\n", n + i);
    for (size_t at = 0; at < 65536;) at += write(1, block + at, 65536 - at);
  }
}
int main(int argc, char **argv) {
  if (!strcmp(argv[2], "deaf")) signal(SIGTERM, SIG_IGN);
  int s = listening(atoi(argv[1]));
  for (;;) {
    int c = accept(s, 0, 0); char said[32];
    if (c < 0) continue;
    if (!strcmp(argv[2], "leak")) { char *m = malloc(300 << 20); memset(m, 1, 300 << 20); }
    if (!strcmp(argv[2], "flood")) { close(c); flood(atol(argv[3])); continue; }
    write(c, said, sprintf(said, "%d", getpid())); close(c);
  }
}
"""


@dataclass
class Figures:
    peer: str
    start_100_s: float | None = None
    stop_100_s: float | None = None
    own_megabytes: float | None = None
    idle_percent: float | None = None
    restart_p50_ms: float | None = None
    restart_p95_ms: float | None = None
    log_mb_per_s: float | None = None
    lines_lost: int | None = None
    lines_doubled: int | None = None
    deaf_killed_after_s: float | None = None
    memory_limit_s: float | None = None
    after_kill_9: str = ""


def ask(port: int) -> int:
    """Return the pid that listens on a port, 0 where nobody does."""
    try:
        with socket.create_connection(("127.0.0.1", port), 0.5) as connection:
            return int(connection.recv(32) or 0)
    except OSError:
        return 0


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def all_up(ports: list[int]) -> dict[int, int]:
    """Wait until everybody listens; return the pids by port."""
    found: dict[int, int] = {}

    def is_done() -> bool:
        found.update({port: pid for port in ports if port not in found and (pid := ask(port))})
        return len(found) == len(ports)

    until(is_done, every=0.005)
    return found


def running(program: Path) -> list[int]:
    """Return the processes of this very file."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            with contextlib.suppress(OSError):
                if os.readlink(each / "exe") == str(program):
                    found.append(int(each.name))
    return found


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def cpu(pids: list[int]) -> float:
    return sum(cpu_seconds(pid) for pid in pids)


def idle_percent(peer: Peer) -> float:
    used, began = cpu(peer.pids()), time.perf_counter()
    time.sleep(10)
    return (cpu(peer.pids()) - used) / (time.perf_counter() - began) * 100


def bare_cost(peer: Peer) -> tuple[float, float]:
    """Return what the process costs without its services: storecrew is a shop as well."""
    if not isinstance(peer, Storecrew):
        return 0.0, 0.0
    time.sleep(5)
    return resident_bytes(peer.pids()[0]) / 2**20, idle_percent(peer)


def hundred(peer: Peer, ports: list[int], figures: Figures) -> None:
    """Start and stop a hundred; kill some of them; weigh the supervisor."""
    bare, bare_percent = bare_cost(peer)
    began = time.perf_counter()
    peer.start_all()
    pids = all_up(ports)
    figures.start_100_s = time.perf_counter() - began
    time.sleep(3)
    figures.own_megabytes = peer.megabytes() - bare
    figures.idle_percent = idle_percent(peer) - bare_percent
    taken = []
    for n in range(KILLS if isinstance(peer, Storecrew | Pm2) else 10):
        port = ports[n]
        os.kill(pids[port], signal.SIGKILL)
        old = pids[port]
        taken.append(until(lambda: ask(port) not in (0, old), every=0.0002) * 1000)  # noqa: B023
        pids[port] = ask(port)
        time.sleep(0.05)
    figures.restart_p50_ms = statistics.median(taken)
    figures.restart_p95_ms = sorted(taken)[int(len(taken) * 0.95)]
    began = time.perf_counter()
    peer.stop_all()
    until(lambda: all(gone(pid) for pid in pids.values()), within=120)
    figures.stop_100_s = time.perf_counter() - began


def flood(peer: Peer, port: int, figures: Figures) -> None:
    """Let a service write as fast as it can, and look for the last line."""
    peer.start_all()
    until(lambda: listens(port))
    lines = FLOOD_MB * 16384
    last = f"{lines - 1:063d}\n".encode()
    newest = peer.log_files("s0")[-1]
    began = time.perf_counter()
    ask_to_flood(port)

    until(lambda: _ends(newest, last), within=120)
    figures.log_mb_per_s = FLOOD_MB * 1.048576 / (time.perf_counter() - began)
    numbers = [
        int(line)
        for file in peer.log_files("s0")
        if file.exists()
        for line in file.read_bytes().split()
        if len(line) == LINE - 1
    ]
    seen = set(numbers)
    figures.lines_lost = lines - min(seen) - len(seen)
    figures.lines_doubled = len(numbers) - len(seen)
    peer.stop_all()


def _ends(path: Path, last: bytes) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - len(last)))
            return file.read() == last
    except OSError:
        return False  # it is being rotated


def ask_to_flood(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 5):
        pass


def deaf(peer: Peer, port: int, figures: Figures) -> None:
    peer.start_all()
    pid = all_up([port])[port]
    began = time.perf_counter()
    peer.stop_all()
    until(lambda: gone(pid), within=60)
    figures.deaf_killed_after_s = time.perf_counter() - began


def leak(peer: Peer, port: int, figures: Figures) -> None:
    """From the allocation to a new process that listens."""
    peer.start_all()
    until(lambda: listens(port))
    began = time.perf_counter()
    old = ask(port)
    until(lambda: gone(old), within=60)
    until(lambda: listens(port))
    figures.memory_limit_s = time.perf_counter() - began


def listens(port: int) -> bool:
    hexed = f":{port:04X}"
    table = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    return any(row.split()[1].endswith(hexed) and row.split()[3] == "0A" for row in table)


def orphans(peer: Peer, ports: list[int], figures: Figures) -> None:
    """kill -9 the supervisor, start it again, and count."""
    peer.start_all()
    before = all_up(ports)
    peer.kill()
    time.sleep(1)
    alive = sum(not gone(pid) for pid in before.values())
    peer.open()
    if not isinstance(peer, Storecrew):
        peer.start_all()
    time.sleep(3)
    same = sum(ask(port) == pid for port, pid in before.items())
    copies = len(running(Path(peer.jobs[0].command[0])))
    told = f"{alive} of {len(before)} alive"
    figures.after_kill_9 = f"{told}; after its restart {same} served, {copies} processes"
    peer.stop_all()
    time.sleep(1)
    for pid in before.values():
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)


def measure(kind: type[Peer], program: Path, folder: Path, wanted: list[str]) -> Figures:
    """Return what one supervisor does."""
    figures = Figures(kind.name)
    trials = [("hundred", hundred, SERVICES, "run"), ("flood", flood, 1, "flood")]
    if kind in (Storecrew, Supervisord):
        trials.append(("deaf", deaf, 1, "deaf"))
    if kind is Storecrew:
        trials.append(("leak", leak, 1, "leak"))
    trials.append(("orphans", orphans, ADOPTED, "run"))
    for name, trial, count, mode in trials:
        if wanted and name not in wanted:
            continue
        place = folder / f"{kind.name}-{name}"
        place.mkdir()
        own = place / "svc"
        own.hardlink_to(program)
        ports = free_ports(count)
        limits = "resources: {max_memory: 200MB}\n" if mode == "leak" else ""
        jobs = [
            Job(f"s{n}", [str(own), str(port), mode, str(FLOOD_MB)], limits)
            for n, port in enumerate(ports)
        ]
        peer = kind(place, jobs)
        try:
            peer.open()
            trial(peer, ports[0] if count == 1 else ports, figures)  # type: ignore[operator]
        except (TimeoutError, OSError, ValueError) as error:
            print(f"{kind.name} {name}: {error!r}", file=sys.stderr)
        finally:
            peer.close()
            for pid in running(own):
                os.kill(pid, signal.SIGKILL)
    return figures


def show(found: list[Figures]) -> None:
    print(f"{'':<22}" + "".join(f"{each.peer:>14}" for each in found))
    for name in list(asdict(found[0]))[1:-1]:
        cells = [getattr(each, name) for each in found]
        shown = [
            "–" if c is None else f"{c:,.2f}" if isinstance(c, float) else f"{c}" for c in cells
        ]
        print(f"{name:<22}" + "".join(f"{cell:>14}" for cell in shown))
    for each in found:
        print(f"after kill -9 of {each.peer}: {each.after_kill_9}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")


def holds(own: Figures) -> bool:
    """Tell whether storecrew's bars hold."""
    below = (
        (own.restart_p50_ms, BAR_RESTART),
        (own.start_100_s, BAR_HUNDRED),
        (own.stop_100_s, BAR_HUNDRED),
        (own.own_megabytes, BAR_MEGABYTES),
        (own.memory_limit_s, BAR_LIMIT),
    )
    quick = all(value is not None and value < bar for value, bar in below)
    captured = (own.log_mb_per_s or 0) > BAR_LOG and own.lines_lost == own.lines_doubled == 0
    adopted = own.after_kill_9.endswith(f"{ADOPTED} served, {ADOPTED} processes")
    return quick and captured and adopted


def main() -> int:
    """Print the figures; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pm2", default="", help="where pm2 is, if it is to be measured")
    parser.add_argument("--trials", nargs="*", default=[], help="names of trials")
    parser.add_argument("--only", nargs="*", default=[], help="names of supervisors")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    kinds: list[type[Peer]] = [Storecrew, Supervisord, Circus]
    if options.pm2:
        Pm2.program = options.pm2
        kinds.append(Pm2)
    else:
        print("pm2: skipped (name it with --pm2)", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "svc"
        source = program.with_suffix(".c")
        source.write_text(_SERVICE)
        subprocess.run(["gcc", "-O2", "-w", "-o", program, source], check=True)
        chosen = [kind for kind in kinds if kind.name in (options.only or [k.name for k in kinds])]
        found = [measure(kind, program, Path(folder), options.trials) for kind in chosen]
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        show(found)
    own = next((each for each in found if each.peer == Storecrew.name), None)
    return int(own is not None and not holds(own))


if __name__ == "__main__":
    sys.exit(main())
