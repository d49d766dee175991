"""A real IMAP server on loopback, with one mailbox that tests drop mails into."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from imap_tools import MailBoxUnencrypted
from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.version import ProxyProtocolVersion
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer

from storecrew.mail.settings import ImapSettings

USER, PASSWORD = "shop", "a password of tests"


@dataclass
class Postbox:
    """The mailbox that is served."""

    port: int

    @property
    def settings(self) -> ImapSettings:
        return ImapSettings(
            host="127.0.0.1",
            port=self.port,
            username=USER,
            password=PASSWORD,
            security="plain",
            timeout=5,
            max_bytes=20_000,
        )

    def drop(self, *mails: bytes) -> None:
        """Let mails arrive."""
        with MailBoxUnencrypted("127.0.0.1", self.port, 5).login(USER, PASSWORD) as box:
            for mail in mails:
                box.append(mail.replace(b"\n", b"\r\n"), "INBOX")


@asynccontextmanager
async def served() -> AsyncIterator[Postbox]:
    """Run the server on a free port until left."""
    given = Namespace(
        host="127.0.0.1",
        port=0,
        cert=None,
        key=None,
        tls=False,
        debug=False,
        proxy_protocol=None,
        inherited_sockets=None,
        passlib_cfg=None,
        demo_data=False,
        demo_user=USER,
        demo_password=PASSWORD,
    )
    backend, config = await DictBackend.init(given, secure_auth=False)
    reader = ProxyProtocolReader(ProxyProtocolVersion.get(None))
    callback = reader.get_callback(IMAPServer(backend.login, config))
    server = await asyncio.start_server(callback, "127.0.0.1", 0)
    try:
        yield Postbox(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.sleep(0)
