"""The derived response models fit what the codec writes."""

import pytest
from in_memory_api import NOW
from pydantic import TypeAdapter, ValidationError

from storecrew.api.schemas import PageResponse, encoded
from storecrew.domain.codec import encode
from storecrew.domain.control.approvals import Approval, ApprovalStatus
from storecrew.domain.control.proposals import Decision, Proposal, ProposalRecord, Verdict
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice

_ACTION = SetPrice(sku="Product A", price=Money.of("11.00", "EUR"))
QUESTION = encode(
    Approval(
        filed=ProposalRecord(
            id="pricing@1/0",
            run="pricing@1",
            agent="pricing",
            proposal=Proposal(action=_ACTION, reason="sells well"),
        ),
        question=Decision(verdict=Verdict.ASK, reason="prices ask", rule="autonomy"),
        status=ApprovalStatus.WAITING,
        asked_at=NOW,
        expires_at=NOW,
    )
)


def test_an_encoded_value_is_of_the_derived_type() -> None:
    TypeAdapter(encoded(Approval)).validate_python(QUESTION)
    wrong = {**QUESTION, "question": {**QUESTION["question"], "verdict": 1}}
    with pytest.raises(ValidationError, match="verdict"):
        TypeAdapter(encoded(Approval)).validate_python(wrong)


def test_every_field_is_required_and_ordered_enums_are_words() -> None:
    schema = TypeAdapter(encoded(Decision)).json_schema()
    assert set(schema["required"]) == schema["properties"].keys()
    assert schema["properties"]["verdict"]["enum"] == ["allow", "ask", "deny"]


def test_actions_keep_the_name_of_their_type() -> None:
    unnamed = {**QUESTION["filed"]["proposal"], "action": {"sku": "Product A"}}
    wrong = {**QUESTION, "filed": {**QUESTION["filed"], "proposal": unnamed}}
    with pytest.raises(ValidationError, match=r"action\.type"):
        TypeAdapter(encoded(Approval)).validate_python(wrong)


def test_generic_models_are_derived_with_their_items() -> None:
    page = {"items": [QUESTION], "page": 1, "per_page": 50, "total": 1, "pages": 1}
    TypeAdapter(encoded(PageResponse[Approval])).validate_python(page)
    with pytest.raises(ValidationError, match=r"items\.0"):
        TypeAdapter(encoded(PageResponse[Approval])).validate_python({**page, "items": ["none"]})
