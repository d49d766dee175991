"""What the ledger says of one action: done, or refused with a code. Nothing is written by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storecrew.domain.control.proposals import Outcome, Result

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class HandlerResult:
    """An outcome that has not been given its key yet; all values are plain JSON."""

    result: Result
    code: str = ""
    message: str = ""
    before: Mapping[str, Any] = field(default_factory=dict[str, Any])
    after: Mapping[str, Any] = field(default_factory=dict[str, Any])
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_outcome(self, key: str) -> Outcome:
        """Return it as the outcome of this key."""
        return Outcome(
            key=key,
            result=self.result,
            code=self.code,
            message=self.message,
            before=self.before,
            after=self.after,
            detail=self.detail,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what the ledger keeps of it."""
        return {
            "result": self.result.value,
            "code": self.code,
            "message": self.message,
            "before": self.before,
            "after": self.after,
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "HandlerResult":
        """Build from what the ledger kept."""
        return cls(**{**kept, "result": Result(kept["result"])})


def done(
    *,
    before: Mapping[str, Any] = _NOTHING,
    after: Mapping[str, Any] = _NOTHING,
    detail: Mapping[str, Any] = _NOTHING,
) -> HandlerResult:
    """Answer that the store changed."""
    return HandlerResult(result=Result.APPLIED, before=before, after=after, detail=detail)


def refused(code: str, message: str, detail: Mapping[str, Any] = _NOTHING) -> HandlerResult:
    """Answer that the store said no, and changed nothing."""
    return HandlerResult(result=Result.REFUSED, code=code, message=message, detail=detail)


def unknown(kind: str, key: object) -> HandlerResult:
    """Answer that there is no such thing."""
    return refused("not_found", f"no {kind} with key {key!r}", {kind: key})


def invalid(field_name: str, problem: str) -> HandlerResult:
    """Answer that a value cannot be accepted by any store."""
    return refused("invalid", f"{field_name}: {problem}", {"field": field_name})
