"""Field encryption: the master key, the practices' data keys that it wraps, and the sealing of single fields.

AES-256-GCM throughout. Every practice has its own data keys (the nil UUID is the installation itself), numbered for
rotation. The practice, table, column and row of a sealed value are authenticated with it, so a value that was
moved elsewhere in the database is refused like an altered one. This module does not know where keys and values are
stored.
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
# Version and key number. Random nonces are safe for about 2**32 values per data key, more than any practice has.
_HEADER = struct.Struct(">BI")

_PLACEHOLDER_WORDS = ("changeme", "placeholder", "replaceme", "example", "password", "insecure", "caseload")
_INVALID_MASTER_KEY = (
    "The master key {fault}. Create one with `openssl rand -base64 32` and store a copy apart from the data and its "
    "backups: without it, nothing that was encrypted with it can be read."
)


class DecryptionRefused(CaseloadError):
    """An encrypted value was altered or moved, or belongs to another key.

    Fix: run `caseload doctor`, and restore the record from a backup.
    """

    code = "DECRYPTION_REFUSED"


class TextRefused(Refusal):
    """The text is not valid Unicode, so it could not be stored.

    Fix: remove the incomplete character.
    """

    code = "TEXT_REFUSED"
    status = 422


class MasterKey:
    """The one secret outside the database. It encrypts nothing itself: each purpose has a key derived from it."""

    __slots__ = ("_key", "key_id")

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ConfigurationProblem(_INVALID_MASTER_KEY.format(fault=f"must be {_KEY_BYTES} bytes long"))
        self._key = key
        # A one-way function of 256 random bits: it identifies the key and reveals nothing about it.
        self.key_id: str = self._derive_subkey(b"key id").hex()[:16]

    @classmethod
    def generate(cls) -> "MasterKey":
        return cls(os.urandom(_KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> "MasterKey":
        """Return the key that a setting or a file contains in base64. Placeholders and guessable keys are refused."""
        text = text.strip()
        key = _decode_base64(text)
        if key is None or len(key) != _KEY_BYTES:
            raise ConfigurationProblem(_INVALID_MASTER_KEY.format(fault=f"is not {_KEY_BYTES} bytes in base64"))
        if _is_placeholder(text, key):
            raise ConfigurationProblem(_INVALID_MASTER_KEY.format(fault="is a placeholder that can be guessed"))
        return cls(key)

    def to_text(self) -> str:
        return base64.b64encode(self._key).decode()

    def derive(self, purpose: str) -> bytes:
        """Return the key for one purpose ("access tokens", "backup", ...). None helps to find another."""
        return self._derive_subkey(b"purpose:" + purpose.encode())

    def derive_wrapping_key(self) -> bytes:
        """Return the key that wraps data keys. No purpose passed to `derive` yields it."""
        return self._derive_subkey(b"data keys")

    def __repr__(self) -> str:
        return f"MasterKey({self.key_id})"

    def _derive_subkey(self, info: bytes) -> bytes:
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"caseload master key 1|" + info).derive(self._key)


def generate_data_key() -> bytes:
    return os.urandom(_KEY_BYTES)


def wrap_data_key(master: MasterKey, tenant_id: UUID, number: int, key: bytes) -> bytes:
    """Return a data key encrypted for storage, bound to its practice and number."""
    if len(key) != _KEY_BYTES:
        raise ValueError("A data key has 32 bytes.")
    return _encrypt(AESGCM(master.derive_wrapping_key()), number, tenant_id.bytes, key)


def unwrap_data_key(master: MasterKey, tenant_id: UUID, number: int, wrapped: bytes) -> bytes:
    """Return the data key, or raise DecryptionRefused if another master key wrapped it or it was altered."""
    if _parse_key_number(wrapped) == number:
        key = _decrypt(AESGCM(master.derive_wrapping_key()), tenant_id.bytes, wrapped)
        if key is not None:
            return key
    raise DecryptionRefused(
        f"Data key {number} of practice {tenant_id} does not open with the configured master key: it was wrapped by "
        "another one, or was altered. Configure the right master key, or restore the data key from a backup.",
    )


class FieldCipher:
    """A cipher that seals and opens single fields of one practice."""

    def __init__(self, tenant_id: UUID, keys: Mapping[int, bytes], current: int) -> None:
        if current not in keys:
            raise ValueError(f"The current key {current} is not among the keys.")
        self._tenant_id = tenant_id
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self.current_key_number = current

    def seal(self, table: str, column: str, row_id: UUID, text: str) -> bytes:
        """Return the encrypted text. Only the same table, column and row open it."""
        plain = _encode_utf8(text)
        if plain is None:
            # Outside of an `except`, since the encoder's own error carries the whole text.
            raise TextRefused("The text contains an incomplete character (a lone surrogate). Remove it and save again.")
        return _encrypt(
            self._ciphers[self.current_key_number],
            self.current_key_number,
            self._build_associated_data(table, column, row_id),
            plain,
        )

    def open(self, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        """Return the text, or raise DecryptionRefused if it was altered, moved, or sealed with another key."""
        number = _parse_key_number(sealed)
        if number is None or number not in self._ciphers:
            raise DecryptionRefused(
                f"A value of {table}.{column} was not sealed with a key of this practice: it was altered, or its key "
                "is missing. Restore the record or the practice's keys from a backup.",
            )
        plain = _decrypt(self._ciphers[number], self._build_associated_data(table, column, row_id), sealed)
        if plain is None:
            raise DecryptionRefused(
                f"A value of {table}.{column} does not open: it was altered or belongs to another record. "
                "Restore the record from a backup and check the audit log for who changed it.",
            )
        return plain.decode()

    @property
    def key_numbers(self) -> frozenset[int]:
        return frozenset(self._ciphers)

    def __repr__(self) -> str:
        return f"FieldCipher({self._tenant_id}, keys={sorted(self._ciphers)}, current={self.current_key_number})"

    def _build_associated_data(self, table: str, column: str, row_id: UUID) -> bytes:
        # Fixed lengths first, then a length before each name: no two fields yield the same bytes.
        names = b"".join(struct.pack(">H", len(name)) + name for name in (table.encode(), column.encode()))
        return self._tenant_id.bytes + row_id.bytes + names


def read_key_number(sealed: bytes) -> int:
    """Return the number of the key that sealed a value. Rotation reseals values of older keys."""
    number = _parse_key_number(sealed)
    if number is None:
        raise DecryptionRefused("A value is not sealed. Restore the record from a backup.")
    return number


def _encrypt(cipher: AESGCM, number: int, associated_data: bytes, plain: bytes) -> bytes:
    header = _HEADER.pack(_VERSION, number)
    nonce = os.urandom(_NONCE_BYTES)
    return header + nonce + cipher.encrypt(nonce, plain, header + associated_data)


def _decrypt(cipher: AESGCM, associated_data: bytes, sealed: bytes) -> bytes | None:
    header, nonce, body = (
        sealed[: _HEADER.size],
        sealed[_HEADER.size :][:_NONCE_BYTES],
        sealed[_HEADER.size + _NONCE_BYTES :],
    )
    try:
        return cipher.decrypt(nonce, body, header + associated_data)
    except InvalidTag:
        return None


def _parse_key_number(sealed: bytes) -> int | None:
    """Return the key number, or None if the bytes are not shaped like a sealed value."""
    if len(sealed) < _HEADER.size + _NONCE_BYTES + _TAG_BYTES:
        return None
    version, number = _HEADER.unpack_from(sealed)
    return number if version == _VERSION else None


def _encode_utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def _decode_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def _is_placeholder(text: str, key: bytes) -> bool:
    """Return whether a key repeats, counts, or is text. About one random key in 10**9 looks like that."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    is_regular = len(steps) < _KEY_BYTES // 2
    is_text = all(32 <= byte < 127 for byte in key)
    is_one_case = text in (text.lower(), text.upper())
    return is_regular or is_text or is_one_case or any(word in text.lower() for word in _PLACEHOLDER_WORDS)
