"""Mail over TLS: a server is believed only with a certificate for its name that can be trusted.

The servers are real ones on loopback, with certificates of the test's own authority.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult
from smtp_server import Server

from storecrew.mail.settings import SmtpSettings
from storecrew.mail.smtp import Envelope, SmtpMailer, SmtpResponse, SmtpResult

# The server's library does not know that it is inside of TLS where that begins with the first byte.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
USER, PASSWORD = "shop", "a password of tests"
LETTER = Envelope(
    sender="shop@shop.example", recipient="anna@customer.example", content=b"Subject: Hi\r\n\r\nHi"
)


@pytest.fixture
def authority(tmp_path, monkeypatch) -> trustme.CA:
    """Whoever this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


@asynccontextmanager
async def serving(issuer: trustme.CA, security: str, name: str) -> AsyncIterator[Server]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issuer.issue_cert(name).configure_cert(context)
    known = Server()
    from_first_byte = security == "tls"

    def who(server, session, envelope, mechanism, given):
        known.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=known.logins[-1] == (USER, PASSWORD), handled=False)

    def protocol() -> SMTP:
        return SMTP(
            known,
            loop=asyncio.get_running_loop(),
            hostname="loopback",
            tls_context=None if from_first_byte else context,
            require_starttls=not from_first_byte,
            authenticator=who,
            auth_required=True,
            auth_require_tls=not from_first_byte,
        )

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=context if from_first_byte else None
    )
    known.port = server.sockets[0].getsockname()[1]
    try:
        yield known
    finally:
        server.close()
        await server.wait_closed()


async def sent(port: int, security: str, password: str = PASSWORD) -> SmtpResponse:
    own = SmtpSettings(
        host="127.0.0.1", port=port, security=security, username=USER, password=password
    )
    mailer = SmtpMailer(own)
    try:
        return await mailer.send(LETTER)
    finally:
        await mailer.close()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_letter_and_its_password_travel_encrypted(authority, security):
    async with serving(authority, security, "127.0.0.1") as server:
        answer = await sent(server.port, security)

    assert answer.result is SmtpResult.ACCEPTED
    assert server.logins == [(USER, PASSWORD)]
    assert [to for to, _ in server.emails] == ["anna@customer.example"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_told_no_password(authority, security):
    async with serving(trustme.CA(), security, "127.0.0.1") as server:
        answer = await sent(server.port, security)

    assert answer.result is SmtpResult.UNREACHABLE
    assert "certificate" in answer.detail.lower()
    assert (server.logins, server.emails) == ([], [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_for_another_name_is_told_no_password(authority, security):
    async with serving(authority, security, "mail.example") as server:
        answer = await sent(server.port, security)

    assert answer.result is SmtpResult.UNREACHABLE
    assert (server.logins, server.emails) == ([], [])


async def test_a_wrong_password_is_no_fault_of_the_letter(authority):
    async with serving(authority, "starttls", "127.0.0.1") as server:
        answer = await sent(server.port, "starttls", "another password")

    assert answer.result is SmtpResult.UNREACHABLE
    assert PASSWORD not in answer.detail
    assert server.emails == []
