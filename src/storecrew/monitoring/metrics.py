"""What Prometheus is told: counts out of the journal, and what this process measured itself."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from storecrew.domain.control.services import ServiceView
from storecrew.domain.control.skipped_inputs import SkippedInput
from storecrew.domain.control.usage import JournalCounts
from storecrew.domain.shop.messages import MailReport

if TYPE_CHECKING:
    from prometheus_client import Metric

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds at which request times are counted: around the 50 ms that an order may take."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class _Series:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


@dataclass
class RequestTimes:
    """How long requests took, by method, route and status. Costs a microsecond a request."""

    _series: dict[tuple[str, str, str], _Series] = field(
        default_factory=dict[tuple[str, str, str], _Series]
    )
    _lock: Lock = field(default_factory=Lock)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; the route is as declared, so that there are few."""
        known = method if method in _METHODS else "other"
        with self._lock:
            series = self._series.setdefault((known, route, str(status)), _Series())
            series.counts[bisect_left(BOUNDS, seconds)] += 1
            series.seconds += seconds

    def metrics(self) -> "Iterator[Metric]":
        """Yield the histogram."""
        from prometheus_client.core import HistogramMetricFamily

        family = HistogramMetricFamily(
            "storecrew_http_request_seconds",
            "Seconds from a request's arrival to the end of its answer.",
            labels=["method", "route", "status"],
        )
        with self._lock:
            for labels, series in self._series.items():
                buckets, total = [], 0
                for bound, number in zip((*map(str, BOUNDS), "+Inf"), series.counts, strict=True):
                    total += number
                    buckets.append((bound, total))
                family.add_metric(labels, buckets, series.seconds)
        yield family


@dataclass(frozen=True, kw_only=True)
class MetricsCollector:
    """Everything that one scrape tells of."""

    figures: JournalCounts
    services: Sequence[ServiceView]
    times: RequestTimes
    paused: bool
    mail: MailReport | None = None
    skipped: Sequence[SkippedInput] = ()

    def collect(self) -> "Iterator[Metric]":
        """Yield every metric."""
        yield from _journal(self.figures, paused=self.paused)
        yield from _budgets(self.figures)
        yield _gauge(
            "storecrew_services",
            "Services by what they were last seen to do.",
            "status",
            _counted(view.status.value for view in self.services),
        )
        if self.mail is not None:
            yield _mail(self.mail)
        yield _skipped(self.skipped)
        yield from self.times.metrics()
        yield from _machine()


def rendered(seen: MetricsCollector) -> bytes:
    """Return the metrics as Prometheus reads them."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Once(tuple(seen.collect())))
    return generate_latest(registry)


@dataclass(frozen=True, eq=False)
class _Once:
    """Hands metrics to a registry."""

    metrics: "tuple[Metric, ...]"

    def collect(self) -> "Iterable[Metric]":
        return self.metrics


def _journal(figures: JournalCounts, *, paused: bool) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    yield CounterMetricFamily(
        "storecrew_events", "Events recorded since the beginning.", value=figures.events
    )
    yield CounterMetricFamily("storecrew_audit_rows", "Rows of the audit.", value=figures.audited)
    yield _gauge("storecrew_runs", "Runs in the journal by status.", "status", figures.runs)
    yield _gauge("storecrew_approvals", "Questions by status.", "status", figures.approvals)
    yield GaugeMetricFamily(
        "storecrew_approvals_waiting",
        "Questions that wait for a person.",
        value=figures.approvals.get("waiting", 0),
    )
    yield _gauge(
        "storecrew_proposals_settled",
        "Proposals by what the store did with them.",
        "result",
        figures.outcomes,
    )
    yield GaugeMetricFamily("storecrew_paused", "1 while the crew is stopped.", value=int(paused))


def _mail(report: MailReport) -> "Metric":
    counts = {name: count for name, count in asdict(report).items() if name != "queued"}
    return _gauge("storecrew_messages", "Messages to customers by state.", "state", counts)


def _skipped(inputs: Sequence[SkippedInput]) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(
        "storecrew_skipped_inputs",
        "Input from outside that was not acted on, by source and reason.",
        labels=["source", "reason"],
    )
    for each in sorted(inputs, key=lambda each: (each.source, each.reason)):
        family.add_metric([each.source, each.reason], each.count)
    return family


def _budgets(figures: JournalCounts) -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily

    labels = ["agent", "part"]
    limit = GaugeMetricFamily(
        "storecrew_budget_limit", "Most that an agent may use up on a day.", labels=labels
    )
    used = GaugeMetricFamily(
        "storecrew_budget_used",
        "What the agent used up today: runs, tokens, money in minor units.",
        labels=labels,
    )
    for agent, use in figures.budgets.items():
        money = use.budget.money.minor if use.budget.money else None
        parts = {
            "runs": (use.budget.runs, use.used.runs),
            "tokens": (use.budget.tokens, use.used.tokens),
            "money": (money, use.used.money),
        }
        for part, (most, amount) in parts.items():
            if most is not None:
                limit.add_metric([agent, part], most)
                used.add_metric([agent, part], amount)
    yield limit
    yield used


def _machine() -> "Iterator[Metric]":
    """Yield processor, memory and network of the machine; those of the process come by it."""
    import psutil
    from prometheus_client.core import CounterMetricFamily

    times = psutil.cpu_times()
    processor = CounterMetricFamily(
        "system_cpu_seconds", "Seconds that all processors spent, by mode.", labels=["mode"]
    )
    for mode in ("user", "system", "idle"):
        processor.add_metric([mode], getattr(times, mode))
    yield processor
    memory = psutil.virtual_memory()
    amounts = {"total": memory.total, "available": memory.available, "used": memory.used}
    yield _gauge("system_memory_bytes", "Memory of the machine.", "kind", amounts)
    traffic = psutil.net_io_counters()
    network = CounterMetricFamily(
        "system_network_bytes", "Bytes over every network interface.", labels=["direction"]
    )
    if traffic is not None:  # a sandbox may have no network at all
        network.add_metric(["received"], traffic.bytes_recv)
        network.add_metric(["sent"], traffic.bytes_sent)
    yield network


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family


def _counted(words: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return found
