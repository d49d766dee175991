"""A queued message as it is sent: headers, a plain text, and an HTML that programs agree on."""

from dataclasses import dataclass
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from functools import cached_property
from importlib.resources import files
from urllib.parse import quote

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from mjml import mjml2html

from storecrew.domain.errors import InvalidInput
from storecrew.domain.input_text import clean, one_line
from storecrew.domain.shop.messages import MARKETING, OutgoingEmail
from storecrew.mail.addresses import mailable
from storecrew.mail.blocks import blocks_of
from storecrew.mail.settings import MailSettings
from storecrew.mail.token_signer import TokenSigner
from storecrew.mail.translations import Translation, translation_of


class _Verbatim(UnstructuredHeader, BaseHeader):
    """A header of web addresses or Message-IDs, one a line: encoding would break them."""

    def fold(self, *, policy: Policy) -> str:
        """Return the header as it is written."""
        lines = f",{policy.linesep} ".join(str(self).split(", "))
        return f"{self.name}: {lines}{policy.linesep}"


_HEADERS = HeaderRegistry()
for _name in ("list-unsubscribe", "in-reply-to", "references"):
    _HEADERS.map_to_type(_name, _Verbatim)
_POLICY = SMTP.clone(header_factory=_HEADERS)
_PREVIEW = 90
"""Characters of the body that mail programs show beside the subject."""


@dataclass(frozen=True)
class EmailRenderer:
    """Composes letters for one shop. Pure: the same letter is the same bytes."""

    settings: MailSettings
    seals: TokenSigner
    hosts: frozenset[str] = frozenset()
    """Hosts that letters link to; the text of other addresses stays text."""

    def compose(self, letter: OutgoingEmail) -> EmailMessage:
        """Return the letter as a mail program gets it; `InvalidInput` for what cannot be sent."""
        address = mailable(letter.address)
        if address is None:
            raise InvalidInput("address", f"{letter.address!r} cannot be written to")
        message = EmailMessage(policy=_POLICY)
        name = one_line(letter.name, 100)
        user, _, domain = address.rpartition("@")
        message["From"] = self._from()
        message["To"] = Address(name, user, domain)
        message["Subject"] = one_line(letter.title)
        message["Date"] = letter.queued_at
        message["Message-ID"] = self.seals.message_id(letter.message_id, self._domain)
        if letter.answers:  # so that it stands below the customer's mail
            message["In-Reply-To"] = message["References"] = letter.answers
        if self.settings.reply_to and self.settings.reply_to != self.settings.sender:
            message["Reply-To"] = self.settings.reply_to
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
        if letter.purpose == MARKETING:
            self._add_unsubscribing(message, letter)
        message.set_content(self.text(letter), cte="quoted-printable")
        message.add_alternative(self.html(letter), subtype="html", cte="quoted-printable")
        message.set_boundary(f"=_{letter.message_id}_{self._domain.replace('.', '_')[:30]}")
        return message

    def text(self, letter: OutgoingEmail) -> str:
        """Return the letter as plain text."""
        words = translation_of(letter.locale)
        foot = [self._why(letter, words)]
        if link := self.unsubscribe_link(letter):
            foot.append(f"{words.unsubscribe}: {link}")
        foot += self._imprint
        return f"{clean(letter.body).strip()}\n\n-- \n" + "\n".join(foot) + "\n"

    def html(self, letter: OutgoingEmail) -> str:
        """Return the letter as HTML with tables and inline styles, as mail programs need it."""
        words, body = translation_of(letter.locale), letter.body
        source = _layout().render(
            words=words,
            shop=self.settings.shop_name,
            title=one_line(letter.title),
            preview=one_line(body, _PREVIEW),
            blocks=blocks_of(body, self.hosts),
            why=self._why(letter, words),
            unsubscribe=self.unsubscribe_link(letter),
            imprint=self._imprint,
        )
        # without fonts, which would be fetched from others whenever the letter is read
        return str(mjml2html(source, disable_comments=True, fonts={}))

    def unsubscribe_link(self, letter: OutgoingEmail) -> str:
        """Return where the reader ends marketing; empty for other letters."""
        if letter.purpose != MARKETING or not self.settings.offers_unsubscribing:
            return ""
        return self._web_link(letter.customer) or self._mail_link(letter.customer)

    def _add_unsubscribing(self, message: EmailMessage, letter: OutgoingEmail) -> None:
        """Say how to unsubscribe in one click (RFC 8058), and by mail for older programs."""
        web = self._web_link(letter.customer)
        by_mail = self._mail_link(letter.customer) if self.settings.reads else ""
        if found := [f"<{link}>" for link in (web, by_mail) if link]:
            message["List-Unsubscribe"] = ", ".join(found)
        if web.startswith("https:"):
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        campaign = quote(letter.campaign or "message", safe="")[:60]
        message["Feedback-ID"] = f"{campaign}:{MARKETING}:storecrew"
        message["Precedence"] = "bulk"

    def _web_link(self, customer: str) -> str:
        token = self.seals.unsubscribe_token(customer)
        base = self.settings.public_url.rstrip("/")
        return f"{base}/unsubscribe/{token}" if base else ""

    def _mail_link(self, customer: str) -> str:
        token = self.seals.unsubscribe_token(customer)
        to = self.settings.reply_to or self.settings.sender
        return f"mailto:{to}?subject=unsubscribe%20{token}"

    def _from(self) -> Address:
        user, _, domain = self.settings.sender.rpartition("@")
        return Address(one_line(self.settings.shop_name, 100), user, domain)

    def _why(self, letter: OutgoingEmail, words: Translation) -> str:
        why = words.marketing if letter.purpose == MARKETING else words.service
        return why.replace("{shop}", self.settings.shop_name)

    @property
    def _imprint(self) -> list[str]:
        return [line.strip() for line in self.settings.legal_footer.splitlines() if line.strip()]

    @cached_property
    def _domain(self) -> str:
        return self.settings.sender.rpartition("@")[2].lower() or "localhost"


_LAYOUT: list[Template] = []


def _layout() -> Template:
    """Return the layout, compiled when the first letter needs it."""
    if not _LAYOUT:
        environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
        source = files("storecrew.mail").joinpath("layout.mjml").read_text("utf-8")
        _LAYOUT.append(environment.from_string(source))
    return _LAYOUT[0]
