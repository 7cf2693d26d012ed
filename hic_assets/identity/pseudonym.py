"""What stands in facts in place of a source's own number of a person: a keyed hash, the same in Python and in SQL.

Belongs here: the key, and HMAC-SHA256 in the form that PostgreSQL can compute with what every server has. Does not: which
number of which table is hashed (dbt's macro ``patient_source_key``).

The key comes from ``HIC_PSEUDONYM_KEY``, else from a file that is made once below ``HIC_HOME``, as the embedded server's
password is. It travels to PostgreSQL as a setting of the session, never in a statement: statements are logged.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path

from hic_assets.file_lock import exclusive
from hic_assets.settings import Settings, SettingsError

BLOCK = 64
"""Bytes of a block of SHA-256, to which HMAC pads its key."""

SHORTEST = 32
"""Characters of a key, at least: who knows the numbers of a source could try shorter ones."""

SEPARATOR = "\x1f"
_FILE = "pseudonym.key"


def pseudonym_key(settings: Settings) -> bytes:
    """The key of this installation.

    Raises SettingsError where ``HIC_PSEUDONYM_KEY`` is too short.
    """
    if settings.pseudonym_key is None:
        return _kept_key(settings.home)
    key = settings.pseudonym_key.get_secret_value().encode()
    if len(key) < SHORTEST:
        raise SettingsError(f"HIC_PSEUDONYM_KEY: must have {SHORTEST} characters or more (openssl rand -hex 32)")
    return key


def pseudonym(key: bytes, source: str, record: str) -> uuid.UUID:
    """The pseudonym of a source's number: the first 128 bits of its HMAC, as ``identity.pseudonym`` computes it."""
    digest = hmac.new(key, f"{source}{SEPARATOR}{record}".encode(), hashlib.sha256).digest()
    return uuid.UUID(bytes=digest[:16])


def session_options(key: bytes) -> str:
    """libpq options (PGOPTIONS) of a session that may compute pseudonyms. As secret as the key: not to be shown."""
    padded = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner, outer = (bytes(byte ^ mask for byte in padded).hex() for mask in (0x36, 0x5C))
    return f"-c hic.pseudonym_inner={inner} -c hic.pseudonym_outer={outer}"


def fingerprint(key: bytes) -> str:
    """What the warehouse keeps of a key, to know it again: tells nothing of it."""
    return hmac.new(key, b"hic: fingerprint of the key of pseudonyms", hashlib.sha256).hexdigest()


def _kept_key(home: Path) -> bytes:
    home.mkdir(parents=True, exist_ok=True)
    path = home / _FILE
    with exclusive(home):
        if not path.exists():
            made = path.with_suffix(".new")
            made.unlink(missing_ok=True)
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            made.rename(path)
    return path.read_text().encode()
