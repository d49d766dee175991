"""Errors word their own messages from the fields they keep."""

import pytest

from storecrew.domain import errors


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.NotFound("order", 7), "no order with key 7"),
        (errors.InvalidInput("price", "is zero"), "price: is zero"),
        (errors.InvalidSettings(["a: b", "c: d"]), "a: b; c: d"),
        (errors.NotPermitted("pricing", "write"), "agent 'pricing' may not write"),
        (errors.KeyReused("k"), "key 'k' was already used for another action"),
        (errors.AlreadyDecided("p", "rejected"), "proposal 'p' is rejected, not waiting"),
        (errors.NotUndoable("p", "it was sent"), "proposal 'p' cannot be undone: it was sent"),
        (errors.AgentTimeout("pricing", 1.5), "agent 'pricing' was still proposing after 1.5 s"),
    ],
)
def test_final_errors_say_what_is_wrong(error: errors.StorecrewError, said: str):
    assert str(error) == said
    assert not isinstance(error, errors.Retryable)


@pytest.mark.parametrize(
    "error",
    [
        errors.StorageBusy("orders"),
        errors.StorageFull("orders"),
        errors.StorageUnavailable("orders", "gone"),
        errors.OutcomeUnknown("orders"),
        errors.StaleAttempt("orders"),
    ],
)
def test_errors_after_which_the_same_call_may_succeed_are_retryable(error: errors.StorecrewError):
    assert isinstance(error, errors.Retryable)
    assert "'orders'" in str(error)


def test_a_pause_passes():
    assert isinstance(errors.Paused(), errors.Retryable)
    assert str(errors.Paused()) == "the crew is paused"


def test_damage_is_not_retryable():
    damaged = errors.StorageDamaged("orders", "malformed")

    assert not isinstance(damaged, errors.Retryable)
    assert "restore it from a backup" in str(damaged)
