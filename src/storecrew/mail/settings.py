"""What the owner may say about mail: the server, the sender, the mailbox."""

import re
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from storecrew.policy.settings import host_name

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
Port = Annotated[int, Ge(1), Field(le=65535)]
Security = Literal["starttls", "tls", "plain"]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )


def _server_host(text: str) -> str:
    if not text or _is_address(text):
        return text
    return host_name(text)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _plain_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of plain text")
    return text


_Line = Annotated[str, AfterValidator(_plain_line)]


class _Server(_Part):
    host: Annotated[str, AfterValidator(_server_host)] = ""
    """Name of the server; empty switches this half of mail off."""
    username: _Line = ""
    """Who logs in; empty logs nobody in."""
    password: SecretStr | None = None
    """The password or app password; it belongs in the environment."""
    timeout: Annotated[float, Gt(0), Le(86_400)] = 30.0
    """Seconds that the server may take for one answer. A slow one is not a dead one."""
    allow_plain: bool = False
    """Whether mail and password may travel unencrypted to another machine. Off: on the way
    anybody could read them."""

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this machine."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def _refuse_plain(self, security: Security) -> None:
        if security == "plain" and self.host and not self.is_loopback and not self.allow_plain:
            raise ValueError(
                "security: plain is for this machine; use starttls or tls, or set allow_plain"
            )


class SmtpSettings(_Server):
    """The server that takes our letters."""

    port: Port = 587
    """587 is where shops hand in mail; 465 goes with `tls`."""
    security: Security = "starttls"
    """`starttls` (refused where the server cannot), `tls` from the first byte, or `plain`."""
    rate_per_minute: Annotated[int, Ge(0), Le(10**6)] = 300
    """Letters a minute at most; 0 is no limit. Providers slow down or block who sends faster than
    they expect of a shop."""
    concurrency: Annotated[int, Ge(1), Field(le=50)] = 4
    """Connections at once. Most providers allow ten."""

    @model_validator(mode="after")
    def _is_safe(self) -> "SmtpSettings":
        self._refuse_plain(self.security)
        return self


class ImapSettings(_Server):
    """The mailbox that customers write to."""

    port: Port = 993
    """993 goes with `tls`, 143 with `starttls`."""
    security: Security = "tls"
    """`tls` from the first byte, `starttls`, or `plain`."""
    folder: Annotated[_Line, Field(min_length=1)] = "INBOX"
    """Folder that is read. Mails in it are neither moved, marked nor deleted."""
    poll_seconds: Annotated[float, Ge(1), Le(86_400)] = 30.0
    """Seconds between two looks: customers wait minutes, not seconds."""
    max_bytes: Annotated[int, Ge(1024), Le(10**9)] = 262_144
    """Bytes of a mail that are read, attachments included; the rest is cut off. Words of a
    customer are never that long."""

    @model_validator(mode="after")
    def _is_safe(self) -> "ImapSettings":
        self._refuse_plain(self.security)
        return self


class MailSettings(_Part):
    """Mail to customers and from them. Nothing set is off: messages wait, and nothing is lost."""

    shop: str = ""
    """The shop's name, as customers read it beside the sender's address and in the letter."""
    sender: str = ""
    """Address that letters come from; its domain must allow the server to send for it."""
    reply_to: str = ""
    """Address that answers go to; empty is the sender's."""
    legal_footer: str = ""
    """Name and postal address at the end of each letter, which most countries ask for."""
    public_url: str = ""
    """Where customers reach this storecrew, as `https://shop.example`: the unsubscribe link leads
    there. Empty offers unsubscribing by mail, which needs the mailbox."""
    authserv_id: _Line = ""
    """Name under which the owner's own mail host writes `Authentication-Results`, such as
    `mx.provider.example`. With it, only mails whose sender the host confirmed are taken as orders;
    others become tickets. Empty still refuses what the topmost such header says has failed."""
    max_age_hours: Annotated[float, Ge(0), Le(87_600)] = 72.0
    """Hours after which a message that still waits is not sent any more; 0 sends any. Without it,
    switching mail on would send last year's messages."""
    max_attempts: Annotated[int, Ge(1), Le(1000)] = 8
    """Tries of a letter that the server puts off, over about a day; then it has failed."""
    smtp: SmtpSettings = SmtpSettings()
    """The server that takes our letters."""
    imap: ImapSettings = ImapSettings()
    """The mailbox that customers write to."""

    @model_validator(mode="after")
    def _is_complete(self) -> "MailSettings":
        for name in ("sender", "reply_to"):
            address = getattr(self, name)
            if address and not _ADDRESS.fullmatch(address):
                raise ValueError(f"{name}: {address!r} is not an address")
        if self.smtp.host and not self.sender:
            raise ValueError("sender: letters need an address to come from")
        if not self.shop.isprintable():
            raise ValueError("shop: must be one line of plain text")
        if not all(line.isprintable() for line in self.legal_footer.splitlines()):
            raise ValueError("legal_footer: must be plain text")
        if self.public_url:
            self._check_url()
        return self

    def _check_url(self) -> None:
        parts = urlsplit(self.public_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("public_url: must look like https://shop.example")
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1"):
            raise ValueError("public_url: mail programs unsubscribe over https alone")

    @property
    def sends(self) -> bool:
        """Whether letters are sent at all."""
        return bool(self.smtp.host)

    @property
    def reads(self) -> bool:
        """Whether a mailbox is read."""
        return bool(self.imap.host)

    @property
    def offers_unsubscribing(self) -> bool:
        """Whether a letter can say how to get no more of its kind; without it no marketing goes."""
        return bool(self.public_url) or self.reads

    @property
    def shop_name(self) -> str:
        """The shop's name, else the domain that it writes from."""
        return self.shop or self.sender.rpartition("@")[2] or "storecrew"

    @property
    def public_host(self) -> str:
        """The host of public_url; empty where there is none."""
        return (urlsplit(self.public_url).hostname or "").lower()
