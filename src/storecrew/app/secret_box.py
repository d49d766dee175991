"""Encrypts secrets that the journal keeps, under a key that stands outside of its database."""

import base64
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from storecrew.app.settings import Settings
from storecrew.database.private_files import FILE_MODE, make_private_folder
from storecrew.domain.errors import InvalidSettings

KEY_FILE = "secret.key"
"""Where the key stands in the data folder while STORECREW_SECRET_KEY is not set."""
_PREFIX = "fernet:"


@dataclass(frozen=True)
class SecretBox:
    """Encrypts and decrypts texts (Fernet: AES-128-CBC with HMAC-SHA256)."""

    key: bytes

    @classmethod
    def of(cls, settings: Settings) -> "SecretBox":
        """Return the box of the settings; a key is generated where none is set."""
        given = settings.secret_key
        text = given.get_secret_value() if given else key_of_folder(settings.data_dir)
        return cls(sha256(f"storecrew secrets {text}".encode()).digest())

    def encrypt(self, text: str) -> str:
        """Return the text as only the holder of the key can read it."""
        return _PREFIX + self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str:
        """Return what was encrypted; a text of an earlier version, in clear, is itself.

        Raises `InvalidSettings` where it was encrypted under another key.
        """
        if not text.startswith(_PREFIX):
            return text
        try:
            return self._fernet.decrypt(text.removeprefix(_PREFIX)).decode()
        except InvalidToken as error:
            problem = (
                "secret_key (STORECREW_SECRET_KEY) is not the one under which the journal's "
                f"secrets are encrypted; set that one, or put the file {KEY_FILE} back"
            )
            raise InvalidSettings([problem]) from error

    @property
    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self.key))


def is_encrypted(text: str) -> bool:
    """Tell whether a kept text is encrypted."""
    return text.startswith(_PREFIX)


def key_of_folder(folder: Path) -> str:
    """Return the key in the data folder, generated once; every process finds the same."""
    file = folder / KEY_FILE
    if not file.exists():
        make_private_folder(folder)
        draft = folder / f"{KEY_FILE}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "w") as writing:
            writing.write(secrets.token_urlsafe(32))
            writing.flush()
            os.fsync(writing.fileno())
        try:
            os.link(draft, file)  # whole or not at all, and never over another's
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()
