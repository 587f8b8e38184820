"""Field encryption: the master key, the practices' data keys that it wraps, and the sealing of single fields.

AES-256-GCM throughout. Every practice has its own data keys (the nil UUID stands for the installation itself), numbered
so that they can be rotated. What a sealed value belongs to (practice, table, column, row) is authenticated with it:
moving it elsewhere in the database is refused like changing it. Nothing here knows where keys or values are stored.
"""

import base64
import itertools
import os
import struct
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from practice.errors import CaseloadError, ConfigurationProblem, Refusal

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_VERSION = 1
# Version and key number. Random nonces are safe for about 2**32 values under one data key: more than any practice has.
_HEADER = struct.Struct(">BI")

_PLACEHOLDER_WORDS = ("changeme", "placeholder", "replaceme", "example", "password", "insecure", "caseload")
_HOW_TO_MAKE_A_KEY = (
    "The master key {wrong}. Make one with `openssl rand -base64 32` and keep a copy of it apart from the data and its "
    "backups: without it nothing that was encrypted with it can be read again."
)


class DecryptionRefused(CaseloadError):
    """A sealed value is not what it should be: altered, moved, or sealed with another key."""

    code = "DECRYPTION_REFUSED"


class TextRefused(Refusal):
    """Not a text: it holds half a character and could never be sent or shown again."""

    code = "TEXT_REFUSED"
    status = 422


class MasterKey:
    """The one secret that is not in the database. It encrypts nothing: each purpose has its own key derived from it."""

    __slots__ = ("_key", "key_id")

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ConfigurationProblem(_HOW_TO_MAKE_A_KEY.format(wrong=f"has to be {_KEY_BYTES} bytes long"))
        self._key = key
        # A one-way function of 256 random bits: it names the key and says nothing about it.
        self.key_id: str = self._subkey(b"key id").hex()[:16]

    @classmethod
    def generate(cls) -> "MasterKey":
        return cls(os.urandom(_KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> "MasterKey":
        """The key that somebody put into a setting or a file. What looks made up by a person is refused."""
        text = text.strip()
        key = _from_base64(text)
        if key is None or len(key) != _KEY_BYTES:
            raise ConfigurationProblem(_HOW_TO_MAKE_A_KEY.format(wrong=f"is not {_KEY_BYTES} bytes in base64"))
        if _looks_made_up(text, key):
            raise ConfigurationProblem(_HOW_TO_MAKE_A_KEY.format(wrong="is a placeholder that anybody could guess"))
        return cls(key)

    def to_text(self) -> str:
        return base64.b64encode(self._key).decode()

    def derive(self, purpose: str) -> bytes:
        """A key of its own for one purpose ("access tokens", "backup", ...): knowing one does not help with another."""
        return self._subkey(b"purpose:" + purpose.encode())

    def wrapping_key(self) -> bytes:
        """The key under which data keys are wrapped; no purpose that `derive` is given can lead to it."""
        return self._subkey(b"data keys")

    def __repr__(self) -> str:
        return f"MasterKey({self.key_id})"

    def _subkey(self, info: bytes) -> bytes:
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"caseload master key 1|" + info).derive(self._key)


def new_data_key() -> bytes:
    return os.urandom(_KEY_BYTES)


def wrap_data_key(master: MasterKey, tenant_id: UUID, number: int, key: bytes) -> bytes:
    """A practice's data key as it may be stored: bound to the practice and to its number."""
    if len(key) != _KEY_BYTES:
        raise ValueError("A data key has 32 bytes.")
    return _encrypt(AESGCM(master.wrapping_key()), number, tenant_id.bytes, key)


def unwrap_data_key(master: MasterKey, tenant_id: UUID, number: int, wrapped: bytes) -> bytes:
    if _key_number(wrapped) == number:
        key = _decrypt(AESGCM(master.wrapping_key()), tenant_id.bytes, wrapped)
        if key is not None:
            return key
    raise DecryptionRefused(
        f"Data key {number} of practice {tenant_id} does not open with master key {master.key_id}: another master key "
        "is set, or the stored key was altered. Set the master key that it was made with, or restore it from a backup.",
    )


class FieldCipher:
    """Seals and opens single fields of one practice."""

    def __init__(self, tenant_id: UUID, keys: Mapping[int, bytes], current: int) -> None:
        if current not in keys:
            raise ValueError(f"The current key {current} is not among the keys.")
        self._tenant_id = tenant_id
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self.current = current

    def seal(self, table: str, column: str, row_id: UUID, text: str) -> bytes:
        plain = _utf8(text)
        if plain is None:
            # Outside of an `except`, since the encoder's own error carries the whole text.
            raise TextRefused("The text holds half a character (a lone surrogate). Remove it and save again.")
        return _encrypt(self._ciphers[self.current], self.current, self._place(table, column, row_id), plain)

    def open(self, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        number = _key_number(sealed)
        if number is None or number not in self._ciphers:
            raise DecryptionRefused(
                f"A value of {table}.{column} was not sealed with a key of this practice: it was altered, or its key "
                "is missing. Restore the record, or the practice's keys, from a backup.",
            )
        plain = _decrypt(self._ciphers[number], self._place(table, column, row_id), sealed)
        if plain is None:
            raise DecryptionRefused(
                f"A value of {table}.{column} does not open: it was altered or belongs to another record. "
                "Restore the record from a backup and look in the audit log for who changed it.",
            )
        return plain.decode()

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(self._ciphers)

    def __repr__(self) -> str:
        return f"FieldCipher({self._tenant_id}, keys={sorted(self._ciphers)}, current={self.current})"

    def _place(self, table: str, column: str, row_id: UUID) -> bytes:
        # Fixed lengths first and then a length before each name: no two places have the same bytes.
        names = b"".join(struct.pack(">H", len(name)) + name for name in (table.encode(), column.encode()))
        return self._tenant_id.bytes + row_id.bytes + names


def sealed_with(sealed: bytes) -> int:
    """The number of the key that sealed a value: whatever is not sealed with the current one is due for it."""
    number = _key_number(sealed)
    if number is None:
        raise DecryptionRefused("This is not a sealed value. Restore the record from a backup.")
    return number


def _encrypt(cipher: AESGCM, number: int, belongs_to: bytes, plain: bytes) -> bytes:
    header = _HEADER.pack(_VERSION, number)
    nonce = os.urandom(_NONCE_BYTES)
    return header + nonce + cipher.encrypt(nonce, plain, header + belongs_to)


def _decrypt(cipher: AESGCM, belongs_to: bytes, sealed: bytes) -> bytes | None:
    header, nonce, body = (
        sealed[: _HEADER.size],
        sealed[_HEADER.size :][:_NONCE_BYTES],
        sealed[_HEADER.size + _NONCE_BYTES :],
    )
    try:
        return cipher.decrypt(nonce, body, header + belongs_to)
    except InvalidTag:
        return None


def _key_number(sealed: bytes) -> int | None:
    """The key number of what is shaped like a sealed value."""
    if len(sealed) < _HEADER.size + _NONCE_BYTES + _TAG_BYTES:
        return None
    version, number = _HEADER.unpack_from(sealed)
    return number if version == _VERSION else None


def _utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def _looks_made_up(text: str, key: bytes) -> bool:
    """Bytes that repeat or count, text instead of bytes, words for base64. One random key in 10**9 looks like that."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    is_regular = len(steps) < _KEY_BYTES // 2
    is_text = all(32 <= byte < 127 for byte in key)
    is_one_case = text in (text.lower(), text.upper())
    return is_regular or is_text or is_one_case or any(word in text.lower() for word in _PLACEHOLDER_WORDS)
