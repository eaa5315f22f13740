"""Who placed an order, knowing nobody: the platform's id, or a keyed hash of the e-mail."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from filelock import FileLock

from connectors.errors import ConfigurationError
from connectors.files import private_folder, written_whole


@dataclass(frozen=True, slots=True)
class EmailHasher:
    """Turns e-mails into person keys with a secret key (at least 16 bytes).

    Where the owner wants none to be kept (`keeps` false), nobody has a person key.
    """

    key: bytes = field(repr=False)
    keeps: bool = True

    PREFIX: ClassVar[str] = "guest-"

    def __post_init__(self) -> None:
        if len(self.key) < 16:
            raise ValueError("the e-mail key must have at least 16 bytes")

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart and gives neither away."""
        return hmac.new(self.key, b"fingerprint", hashlib.sha256).hexdigest()[:16]

    def person_key(self, email: str | None, website: str = "") -> str | None:
        """Under what somebody with this e-mail is to be kept; None where there is none."""
        return self.key_of(email, website) if self.keeps else None

    def key_of(self, email: str | None, website: str = "") -> str | None:
        """`guest-` and 128 bits of HMAC-SHA256 over website and normalised e-mail; None if empty.

        The website is part of the message, so the same e-mail in two websites of one Magento is
        two persons, as it is there. Normalised: trimmed and lower case, nothing cleverer, because
        shops treat `a+b@x` and `a@x` as different customers.
        """
        normalised = (email or "").strip().lower()
        if not normalised:
            return None
        message = f"{website}\0{normalised}".encode()
        return self.PREFIX + hmac.digest(self.key, message, "sha256").hex()[:32]

    def tombstone(self, shop: str, kind: str, identity: str) -> str:
        """By what an erased identity is known again, and by nobody without the key."""
        message = f"tombstone\0{shop}\0{kind}\0{identity}".encode()
        return hmac.digest(self.key, message, "sha256").hex()[:32]

    def seal(self, content: Iterable[bytes]) -> str:
        """By what a file of ours, piece by piece, is known to be as we made it."""
        sealed = hmac.new(self.key, b"seal\0", "sha256")
        for piece in content:
            sealed.update(piece)
        return sealed.hexdigest()


def load_hasher(key: str, folder: Path, keeps: bool = True) -> EmailHasher:
    """The hasher with the owner's `key`, or with the one kept in `folder`, made on first use."""
    if key:
        return EmailHasher(key.encode(), keeps)
    path = folder / "email.key"
    if not path.exists():
        _make_key(path)
    try:
        return EmailHasher(path.read_text(encoding="ascii").strip().encode(), keeps)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the e-mail key in {path} can't be read", mend="Restore it, or set CLV_EMAIL_KEY."
        ) from error


def _make_key(path: Path) -> None:
    """By one process alone: jobs of several shops may begin in one folder at the same time."""
    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
    try:
        private_folder(path.parent)
        held = lock.acquire()
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written: {error.strerror}", mend="Name a folder that is yours."
        ) from error
    with held:
        if not path.exists():
            with written_whole(path) as fresh:
                fresh.write_text(secrets.token_hex(32), encoding="ascii")
