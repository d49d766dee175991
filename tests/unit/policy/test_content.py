"""Text to customers is read once more before it goes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.control.proposals import Proposal, Verdict
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.promotions import StartCampaign
from storecrew.domain.shop.support import ReplyToTicket
from storecrew.policy import Policy, PolicyFacts, PolicySettings
from storecrew.policy.content import content

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FACTS = PolicyFacts(now=NOON, currency="EUR", customer=Customer(id="anna", name="Anna"))
SETTINGS = PolicySettings(link_hosts=("shop.example",), blocked_words=("Gratis", "act now"))


def said(body: str, settings: PolicySettings = SETTINGS):
    action = SendMessage(customer="anna", purpose="service", title="Your order", body=body)
    return content(Proposal(action=action, reason="test"), FACTS, settings)


@pytest.mark.parametrize(
    ("body", "about"),
    [
        ("Hello {{ customer.name }}!", "never filled in"),
        ("Hello {name}!", "never filled in"),
        ("Hello ${name}!", "never filled in"),
        ("Hello %(name)s!", "never filled in"),
        ("Hello [First Name]!", "never filled in"),
        ("Your card 4111 1111 1111 1111 was charged.", "payment card"),
        ("Your card 4111-1111-1111-1111 was charged.", "payment card"),
        ("Use AKIAABCDEFGHIJKLMNOP to log in.", "key or a password"),
        ("Your password: hunter22", "key or a password"),
        ("-----BEGIN RSA PRIVATE" + " KEY-----", "key or a password"),
        ("Pay at https://evil.example/pay", "evil.example"),
        ("Pay at https://shop.example@evil.example/", "links to"),
        ("Pay at https://shop.example.evil.example/", "evil.example"),
        ("Pay at www.evil.example now", "evil.example"),
        ("Pay at evil.example/pay now", "evil.example"),
        ("javascript:alert(1)", "no link to a page"),
        ("ftp://shop.example/x", "no link to a page"),
        ("It is GRATIS today", "gratis"),
        ("It is ｇｒａｔｉｓ today", "gratis"),
        ("Act now!", "act now"),
        ("Your оrder is here", "mixes letters"),
        ("abc\u202edef", "U+202E"),
        ("abc\x07def", "U+0007"),
        ("zero\u200bwidth", "U+200B"),
        ("   ", "empty"),
    ],
)
def test_r136_content_filter_keeps_odd_text_until_a_person_has_read_it(body, about):
    opinion = said(body)

    assert opinion.verdict is Verdict.ASK
    assert opinion.binding
    assert about in opinion.reason


@pytest.mark.parametrize(
    "body",
    [
        "Hello Anna,\n\nyour order 7 (3 units, 24.90 EUR) is on its way.\n\n"
        "https://shop.example/orders/7?x=1",
        "Grüße aus Köln: Ihre Bestellung ist unterwegs – bis bald!",
        "Bonjour, votre commande n° 12 est arrivée. À bientôt 😀👍🏽",
        "Ваш заказ в пути",
        "Ihre Sendungsnummer ist 00340434161094042557.",
        "Write to help@shop.example, call +49 30 1234567, 24/7 and/or visit us.",
        "Now 10 % off: 9.90 EUR/kg (was 11.00)",
        "Migratis is no blocked word, nor is gratisfaction.",
    ],
)
def test_r136_content_filter_lets_honest_text_pass(body):
    assert said(body).verdict is Verdict.ALLOW


@given(st.from_regex(r"[2-6][0-9]{11,20}", fullmatch=True))
def test_a_number_is_a_card_when_its_check_digit_fits(number):
    odd, even = number[-1::-2], number[-2::-2]
    total = sum(map(int, odd)) + sum("0516273849".index(digit) for digit in even)
    is_card = 13 <= len(number) <= 19 and total % 10 == 0 and len(set(number)) > 1

    assert said(f"Your number is {number}.").verdict is (Verdict.ASK if is_card else Verdict.ALLOW)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Pay 4111 1111 1111 1111", "it seems to hold the number of a payment card"),
        ("Pay 4222222222222", "it seems to hold the number of a payment card"),
        ("Pay 4556551234567890129", "it seems to hold the number of a payment card"),
        ("Pay 5500 0055 5555 5559", "it seems to hold the number of a payment card"),
        ("Your password: hunter22", "it seems to hold a key or a password"),
        ("Hello {name}!", "'{name}' was never filled in"),
        ("{{" + "x" * 60 + "}}", f"{'{{' + 'x' * 38!r} was never filled in"),
        ("Your оrder", "'оrder' mixes letters that look alike"),
        ("Anna and Аnna", "'Аnna' mixes letters that look alike"),
        ("ok\n\t\u200d\u2003a\u202eb", "it holds the character U+202E"),
        ("Pay at HTTPS://Evil.example./x", "it links to 'evil.example', which"),
        ("https://evil@shop.example/", "it links to 'https://evil@shop.example/', which"),
        ("https:///path", "it links to 'https:///path', which"),
        ("https://[shop.example/", "it links to 'https://[shop.example/', which"),
        ("ftp://shop.example/", "'ftp://shop.example/' is no link to a page"),
        ("javascript:" + "x" * 80, "'javascript:x' is no link to a page"),
        ("ftp://" + "x" * 80, f"{'ftp://' + 'x' * 54!r} is no link to a page"),
        ("https://a@" + "x" * 80, f"it links to {'https://a@' + 'x' * 50!r}, which"),
        ("It is GRATIS today", "it holds the word 'gratis'"),
        ("Act now!", "it holds the word 'act now'"),
        (" ", "it is empty"),
    ],
)
def test_what_is_odd_is_named(body, reason):
    opinion = said(body)

    assert opinion.reason.startswith(f"a person reads it first: {reason}")
    assert not reason.endswith("which") or opinion.reason.endswith(
        "which policy.link_hosts does not name"
    )


@pytest.mark.parametrize(
    "body",
    [
        "See www.shop.example or https://shop.example./a and HTTP://SHOP.example/b",
        "Soft\u200djoined \u200c and\u2003wide, \ufe0f \n\r\t",
        "Анна and Anna",
        "\U00017000\U00017001 and Anna",
        "Number 22222222222222222: one digit alone is no card.",
    ],
)
def test_the_shops_own_links_and_honest_writing_pass(body):
    settings = PolicySettings(link_hosts=("Shop.Example", "www.shop.example"))
    assert said(body, settings).verdict is Verdict.ALLOW


def test_blank_blocked_words_block_nothing():
    assert said("Any text.", PolicySettings(blocked_words=("", " "))).verdict is Verdict.ALLOW
    assert said("It is GRATIS", PolicySettings(blocked_words=("", "gratis"))).binding


def test_r136_content_filter_holds_for_agents_that_may_do_anything_and_yields_to_a_person():
    policy = Policy(PolicySettings(autonomy={"*.*": "auto"}))
    words = {"customer": "anna", "purpose": "service", "title": "Hello", "body": "Dear {name}"}
    proposal = Proposal(action=SendMessage(**words), reason="test")

    assert policy.judge(proposal, "customer_communications", FACTS).verdict is Verdict.ASK
    assert policy.judge(proposal, "customer_communications", FACTS).rule == "content"
    assert policy.confirm(proposal, "owner", FACTS).verdict is Verdict.ALLOW


def test_campaigns_and_answers_are_read_and_nothing_else():
    campaign = StartCampaign(
        name="x", segment="all", title="News", body="{name}", recipients=("anna",), ends_at=NOON
    )
    reply = ReplyToTicket(ticket_id="1", text="see www.evil.example")
    price = SetPrice(sku="{name}", price=Money.of(1, "EUR"))

    verdicts = [
        opinion.verdict if opinion else None
        for opinion in (
            content(Proposal(action=action, reason="test"), FACTS, SETTINGS)
            for action in (campaign, reply, price)
        )
    ]
    assert verdicts == [Verdict.ASK, Verdict.ASK, None]


@given(st.text(max_size=400))
def test_any_text_gets_an_opinion(text):
    assert said(text).verdict in (Verdict.ALLOW, Verdict.ASK)


@given(st.text(alphabet="{}$[]%().:/-_ a1", max_size=3000))
def test_no_text_takes_long(text):
    assert said(text * 3).rule == "content"
