"""A shop that has no examples of its own understands what most customers ask."""

import pytest

from storecrew.models.intents import IntentModel, starter_examples, train

ASKED = {
    "hello, could you tell me where my order is?": "order_status",
    "I'd like to cancel the order I placed this morning": "cancel_order",
    "the vase came broken in two pieces": "damaged_item",
    "how do I send the shoes back to you?": "return_item",
    "you sent the wrong color": "wrong_item",
    "please unsubscribe me from these emails": "newsletter",
    "can't log into my account, forgot password": "account",
    "do you deliver to other countries?": "shipping_terms",
    "I need the invoice with our VAT number": "invoice",
    "let me talk to a real person": "human",
    "which paymnet methods do you acept": "payment_methods",
    "is the red one in stock?": "stock_question",
}


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return train(*starter_examples())


def test_usual_questions_are_understood_from_the_first_day(model):
    said = [verdict.intent for verdict in model.classify(list(ASKED))]
    right = [got == wanted for got, wanted in zip(said, ASKED.values(), strict=True)]

    assert sum(right) >= len(ASKED) - 1, dict(zip(ASKED, said, strict=True))


@pytest.mark.parametrize("text", ["the weather in Lisbon tomorrow", "explain photosynthesis"])
def test_what_has_nothing_to_do_with_the_shop_is_never_answered(model, text):
    assert not model.classify([text])[0].sure


def test_the_owners_examples_join_the_starter():
    own = {"repair": ["do you repair lamps", "fix my old lamp", "lamp repair service"]}
    texts, intents = starter_examples(own)
    model = train(texts, intents)

    assert model.classify(["could you repair an old lamp"])[0].intent == "repair"
