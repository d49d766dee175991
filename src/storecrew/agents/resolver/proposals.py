"""The resolver's proposals, each with observed and expected values and the remedy."""

from collections.abc import Mapping, Sequence
from typing import Any

from storecrew.agents.resolver.anomaly_detection import DetectedAnomaly
from storecrew.agents.resolver.payments import METRIC, Failing
from storecrew.agents.resolver.root_causes import RootCause
from storecrew.agents.resolver.settings import ResolverSettings
from storecrew.domain.codec import encode
from storecrew.domain.control.agents import PauseAgent
from storecrew.domain.control.incidents import AnomalyDetected, IncidentKind, OpenIncident
from storecrew.domain.control.proposals import Evidence, Proposal
from storecrew.domain.control.services import RestartService
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.payments import SetPaymentMethod

_QUOTED = 200


def incident(  # noqa: PLR0913 - read by name, like a form
    name: str,
    *,
    title: str,
    cause: str,
    observed: str,
    expected: str,
    plan: Sequence[Mapping[str, Any]] = (),
    evidence: Mapping[str, Evidence] | None = None,
    kind: IncidentKind = IncidentKind.ANOMALY,
) -> Proposal:
    """Call a person: the same trouble has the same name, and opens once."""
    action = OpenIncident(
        incident=name,
        title=title,
        cause=cause[:_QUOTED],
        observed=observed,
        expected=expected,
        plan=tuple(plan),
        kind=kind,
    )
    shown: dict[str, Evidence] = {"observed": observed, "expected": expected, "cause": action.cause}
    return Proposal(
        action=action,
        reason=f"{title}: a person should look.",
        evidence=shown | dict(evidence or {}),
    )


def of_payments(
    found: Failing, offered: Mapping[str, bool], settings: ResolverSettings
) -> list[Proposal | Event]:
    """Switch a failing way to pay off while others are left; else call a person."""
    others = sorted(m for m, is_on in offered.items() if is_on and m != found.method)
    observed = f"{found.failed} of {found.payments} payments failed"
    expected = f"about {settings.usual_failure_rate:.0%}"
    evidence: dict[str, Evidence] = {
        "method": found.method,
        "failed": found.failed,
        "payments": found.payments,
        "chance_on_an_ordinary_day": float(f"{found.chance:.2g}"),
        "since": found.since.isoformat(),
        "provider_says": found.reason,
        "other_ways_to_pay": ", ".join(others) or "none",
    }
    told: Event = AnomalyDetected(
        metric=METRIC + found.method,
        observed=found.failed / found.payments,
        expected=settings.usual_failure_rate,
        cause=found.reason,
    )
    off = SetPaymentMethod(method=found.method, enabled=False)
    title = f"Payments by {found.method} fail"
    call = incident(
        f"payments/{found.method[:80]}",
        title=title,
        cause=found.reason or "unknown",
        observed=observed,
        expected=expected,
        plan=[encode(off)] if others else [],
        evidence=evidence,
    )
    if not others:
        return [told, call]
    left = f"customers are offered {', '.join(others)} until it works again"
    proposal = Proposal(action=off, reason=f"{title}; {left}.", evidence=evidence)
    return [told, proposal, call]


def trial(method: str) -> Proposal:
    """Offer a way to pay again, to see whether it works."""
    return Proposal(
        action=SetPaymentMethod(method=method, enabled=True),
        reason=f"{method} was switched off for a fault; it is time to try it again.",
        evidence={"method": method, "if_it_fails_again": "it is switched off for twice as long"},
    )


def of_service(service: str, detail: str, failures: int, settings: ResolverSettings) -> Proposal:
    """Restart a service that failed; call a person where restarts did not help."""
    evidence: dict[str, Evidence] = {"failures_today": failures, "detail": detail[:_QUOTED]}
    if failures <= settings.service_failures:
        return Proposal(
            action=RestartService(service=service),
            reason=f"Service {service} does not work; a restart may mend it.",
            evidence=evidence,
        )
    return incident(
        f"service/{service}",
        title=f"Service {service} fails again and again",
        cause=detail or "unknown",
        observed=f"{failures} failures within a day",
        expected="none",
        evidence=evidence,
        kind=IncidentKind.SERVICE,
    )


def of_agent(agent: str, failures: int, reason: str, settings: ResolverSettings) -> list[Proposal]:
    """Pause an agent whose runs fail again and again, and call a person."""
    pause = PauseAgent(agent=agent)
    observed = f"{failures} runs failed for good within {settings.agent_hours:g} hours"
    evidence: dict[str, Evidence] = {"failures": failures, "error": reason[:_QUOTED]}
    call = incident(
        f"agent/{agent}",
        title=f"Agent {agent} fails",
        cause=reason or "unknown",
        observed=observed,
        expected="none",
        plan=[encode(pause)],
        evidence=evidence,
    )
    stop = Proposal(
        action=pause, reason=f"{observed}; paused, it does no harm meanwhile.", evidence=evidence
    )
    return [stop, call]


def of_stream(
    found: DetectedAnomaly, suspects: Sequence[RootCause], fixes: Sequence[SetPrice], day: str
) -> list[Proposal]:
    """Take a price back that cost sales; call a person in any case."""
    way = "fell" if found.fell else "rose"
    cause = "; ".join(s.words for s in suspects) or "the whole shop moved, and nothing stands out"
    evidence: dict[str, Evidence] = {
        "score": round(found.score, 2),
        "causes": [suspect.row() for suspect in suspects],
    }
    call = incident(
        f"{found.stream}/{day}",
        title=f"{found.stream.capitalize()} {way}",
        cause=cause,
        observed=f"{found.observed:,.0f} within 24 hours",
        expected=f"{found.expected:,.0f}",
        plan=[encode(fix) for fix in fixes],
        evidence=evidence,
    )
    back = [
        Proposal(
            action=fix,
            reason=f"{found.stream.capitalize()} {way} after its price rose; it goes back.",
            evidence={"observed": found.observed, "expected": round(found.expected, 1), **evidence},
        )
        for fix in fixes
    ]
    return [*back, call]
