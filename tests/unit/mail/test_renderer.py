"""Letters: headers nobody can forge, a text and an HTML that say the same, and a way out."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, strategies as st
from lxml import html
from mail_scenario import SEALS, mail_settings

from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.messages import OutgoingEmail
from storecrew.mail.addresses import mailable
from storecrew.mail.renderer import EmailRenderer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LETTER = OutgoingEmail(
    message_id=7,
    customer="anna",
    address="anna@customer.example",
    name="Anna",
    locale="en",
    purpose="service",
    title="Your order 7 is on its way",
    body="Hello Anna,\n\nyour order is on its way.\nBye",
    queued_at=NOON,
)
WRITER = EmailRenderer(mail_settings(), SEALS, frozenset({"shop.example"}))
HOSTILE = 'x\r\nBcc: evil@evil.example\r\n\r\n<script>alert(1)</script>"\u202e\x00'


def read(email: OutgoingEmail, writer: EmailRenderer = WRITER) -> EmailMessage:
    found = message_from_bytes(writer.compose(email).as_bytes(), policy=default)
    assert isinstance(found, EmailMessage)
    return found


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_a_letter_has_the_headers_that_servers_and_programs_ask_for():
    mail = read(LETTER)

    assert mail["From"] == "Tea & Co <shop@shop.example>"
    assert mail["To"] == "Anna <anna@customer.example>"
    assert mail["Subject"] == LETTER.title
    assert mail["Date"].datetime == NOON
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@shop.example>")
    assert mail["List-Unsubscribe"] is None
    assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "text/html"]


def test_an_answer_stands_below_the_mail_that_it_answers():
    asked = f"<{'a.b' * 60}@customer.example>"  # longer than a line, and whole all the same
    raw = WRITER.compose(replace(LETTER, answers=asked)).as_bytes().decode()

    assert f"In-Reply-To: {asked}\r\n" in raw
    assert f"References: {asked}\r\n" in raw
    assert read(LETTER)["In-Reply-To"] is None


def test_the_same_letter_is_the_same_bytes():
    assert WRITER.compose(LETTER).as_bytes() == WRITER.compose(LETTER).as_bytes()


def test_marketing_says_how_to_unsubscribe_in_one_click_and_its_address_is_never_encoded():
    long = replace(LETTER, purpose="marketing", customer="c" * 200, campaign="Frühling 2026")
    raw = WRITER.compose(long).as_bytes().decode()
    mail = read(long)
    link = f"https://shop.example/unsubscribe/{SEALS.unsubscribe_token('c' * 200)}"

    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert f"List-Unsubscribe: <{link}>\r\n" in raw
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Feedback-ID"].isascii()
    assert link in part(mail, "plain")
    assert link in part(mail, "html")


def test_without_a_public_address_one_unsubscribes_by_mail():
    imap = {"host": "imap.shop.example"}
    settings = mail_settings().model_copy(update={"public_url": ""})
    settings = settings.model_validate({**settings.model_dump(), "imap": imap})
    mail = read(replace(LETTER, purpose="marketing"), EmailRenderer(settings, SEALS))

    token = SEALS.unsubscribe_token("anna")
    assert mail["List-Unsubscribe"] == f"<mailto:shop@shop.example?subject=unsubscribe%20{token}>"
    assert mail["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize("locale", ["de", "de_AT", "fr-CA", "en", "tlh", ""])
def test_the_fixed_words_are_in_the_readers_language(locale):
    words = {"de": "Bestellung oder Anfrage", "fr": "votre commande"}
    mail = read(replace(LETTER, locale=locale))
    expected = words.get(locale[:2], "your order or your question")
    assert expected in part(mail, "plain").replace("\n", " ")


def test_only_links_to_the_shop_become_links():
    body = (
        "See https://shop.example/a?b=1&c=2, or https://evil.example/x.\n\n"
        "https://shop.example/tea\n\nhttps://shop.example@evil.example/"
    )
    tree = html.fromstring(part(read(replace(LETTER, body=body)), "html"))
    links = [a.get("href") for a in tree.iter("a")]

    assert links == ["https://shop.example/a?b=1&c=2", "https://shop.example/tea"]
    assert "https://evil.example/x" in tree.text_content()


@pytest.mark.parametrize("field", ["title", "name", "body", "customer", "locale", "campaign"])
def test_no_text_adds_a_header_or_markup(field):
    mail = read(replace(LETTER, purpose="marketing", **{field: HOSTILE}))

    assert mail["Bcc"] is None
    assert mail.get_all("To") == [mail["To"]]
    assert [a.addr_spec for a in mail["To"].addresses] == ["anna@customer.example"]
    assert "<script" not in part(mail, "html")
    assert "\u202e" not in part(mail, "plain")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "a b@x.example",
        "anna@x.example\r\nBcc: e@v.il",
        "a@b@c",
        "@x.example",
        "a@-",
        '"x"@y.z',
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidInput):
        WRITER.compose(replace(LETTER, address=address))


def test_a_domain_in_any_writing_is_handed_over_in_ascii():
    assert mailable(" Anna.B+x@Bücher.example ") == "Anna.B+x@xn--bcher-kva.example"


@given(title=st.text(max_size=120), name=st.text(max_size=60), body=st.text(max_size=600))
def test_any_text_makes_a_letter_that_can_be_read(title, name, body):
    mail = read(replace(LETTER, title=title, name=name, body=body))

    assert [a.addr_spec for a in mail["To"].addresses] == ["anna@customer.example"]
    assert mail["Message-ID"]
    assert {key.lower() for key in mail} <= {
        *("from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version"),
        *("x-auto-response-suppress", "content-type"),
    }
    html.fromstring(part(mail, "html"))


def test_a_template_in_a_body_is_text():
    mail = read(
        replace(LETTER, body="{{ 7 * 7 }} {% for x in y %} <mj-include path='/etc/passwd'/>")
    )
    assert "{{ 7 * 7 }} {% for x in y %}" in part(mail, "html")
    assert "root:" not in part(mail, "html")


def test_nothing_is_fetched_from_others_when_a_letter_is_opened():
    text = part(read(LETTER), "html")
    assert "fonts.googleapis" not in text
    assert "<img" not in text
    assert "@import" not in text


# --- seals --------------------------------------------------------------------------------------


def test_a_link_unsubscribes_whom_it_was_made_for_and_nobody_else():
    token = SEALS.unsubscribe_token("änna/7")
    assert SEALS.customer_of(token) == "änna/7"
    named, _, mark = token.partition(".")
    other = SEALS.unsubscribe_token("ben").partition(".")[0]
    for wrong in (f"{other}.{mark}", f"{named}.{mark[:-1]}0x", named, "", ".", "a" * 5000, "é.é"):
        assert SEALS.customer_of(wrong) is None


def test_a_message_id_names_its_letter_and_cannot_be_made_up():
    known = SEALS.message_id(7, "shop.example")
    assert SEALS.number_in(f"In-Reply-To: {known}") == 7
    assert SEALS.number_in(known.replace("m7", "m8")) is None
    assert SEALS.number_in("<m7.00000000000000000000@shop.example>") is None


@given(st.text(max_size=300))
def test_no_text_is_a_seal(text):
    assert SEALS.customer_of(text) is None
    assert SEALS.number_in(text) is None
