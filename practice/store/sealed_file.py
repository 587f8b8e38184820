"""The container of a backup: an encrypted, authenticated stream with a header that is readable without the key.

    magic 8 | length of the header 4 | header, JSON | salt 32 | key check 32 | SHA-256 of all that 32 | sealed parts ...

The parts are 1 MiB each but the last (STREAM construction, AES-256-GCM). A part's nonce is its number and whether it
is the last; the hash above, and so header and salt, is authenticated with it. Truncated, added, moved, repeated,
altered or foreign parts are therefore detected. Memory is bounded by a few parts and one chunk.

The plain hash before the parts needs no key: it distinguishes a damaged beginning from a wrong key.
"""

import hashlib
import hmac
import json
import os
import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from practice.errors import CaseloadError

_MAGIC = b"CASELD\x00\x01"
_LENGTH = struct.Struct(">I")
_MAX_HEADER_BYTES = 1 << 20
_HASH_BYTES = 32
_PART_BYTES = 1 << 20
_TAG_BYTES = 16
_NONCE = struct.Struct(">3xQ?")


class DamagedBackup(CaseloadError):
    """The backup was altered or truncated after it was written.

    Fix: use another copy of it, or an older backup.
    """

    code = "BACKUP_DAMAGED"


class WrongKey(CaseloadError):
    """The backup was encrypted with another master key.

    Fix: configure the master key with the id that the message names.
    """

    code = "BACKUP_KEY_WRONG"


class _Beginning(NamedTuple):
    """The fields of a file before its sealed parts."""

    header: dict[str, Any]
    salt: bytes
    key_check: bytes
    digest: bytes


def write_sealed(out: BinaryIO, key: bytes, header: dict[str, Any], chunks: Iterable[bytes]) -> None:
    """Write the chunks, of any size. The header must name the master key as `key_id`."""
    if "key_id" not in header:
        raise ValueError("The header must contain `key_id`, which says which master key opens the file.")
    header_bytes = json.dumps(header, sort_keys=True).encode()
    if len(header_bytes) > _MAX_HEADER_BYTES:
        raise ValueError("The header is too long.")
    salt = os.urandom(_HASH_BYTES)
    cipher, key_check = _derive_keys(key, salt)
    beginning = _MAGIC + _LENGTH.pack(len(header_bytes)) + header_bytes + salt + key_check
    digest = hashlib.sha256(beginning).digest()
    out.write(beginning + digest)
    number = 0
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > _PART_BYTES:  # not >=: the last part must not be empty
            out.write(cipher.encrypt(_NONCE.pack(number, False), waiting[:_PART_BYTES], digest))
            del waiting[:_PART_BYTES]
            number += 1
    out.write(cipher.encrypt(_NONCE.pack(number, True), waiting, digest))


def read_header(f: BinaryIO) -> dict[str, Any]:
    """Return the header, for display and for choosing the key. Only `read_sealed` authenticates it."""
    return _read_beginning(f).header


def read_sealed(f: BinaryIO, key: bytes) -> Iterator[bytes]:
    """Return the content in parts. A wrong key or a damaged beginning raises immediately.

    Each part is authenticated, but only the end proves that none is missing: discard everything unless the iterator
    ends without an error.
    """
    beginning = _read_beginning(f)
    cipher, key_check = _derive_keys(key, beginning.salt)
    if not hmac.compare_digest(key_check, beginning.key_check):
        raise WrongKey(
            f"This backup was made with another master key, with the id {beginning.header.get('key_id')!r}. "
            "Configure that key; without it the backup cannot be read.",
        )
    return _decrypt_parts(f, cipher, beginning.digest)


def _decrypt_parts(f: BinaryIO, cipher: AESGCM, digest: bytes) -> Iterator[bytes]:
    number = 0
    part = _read(f, _PART_BYTES + _TAG_BYTES)
    while True:
        following = _read(f, _PART_BYTES + _TAG_BYTES)
        try:
            plain = cipher.decrypt(_NONCE.pack(number, not following), part, digest)
        except InvalidTag:
            plain = None
        if plain is None:
            raise _build_damage_error(f"from part {number + 1} on")
        yield plain
        if not following:
            return
        part = following
        number += 1


def _read_beginning(f: BinaryIO) -> _Beginning:
    start = _read(f, len(_MAGIC) + _LENGTH.size)
    if not start.startswith(_MAGIC) or len(start) < len(_MAGIC) + _LENGTH.size:
        raise DamagedBackup("The file is not a backup of this version of Caseload. Choose another file.")
    (length,) = _LENGTH.unpack_from(start, len(_MAGIC))
    if length > _MAX_HEADER_BYTES:
        raise _build_damage_error("in its beginning")
    rest = _read(f, length + 3 * _HASH_BYTES)
    header, salt, key_check, digest = (
        rest[:length],
        rest[length:][:_HASH_BYTES],
        rest[length + _HASH_BYTES :][:_HASH_BYTES],
        rest[length + 2 * _HASH_BYTES :],
    )
    if hashlib.sha256(start + header + salt + key_check).digest() != digest:
        raise _build_damage_error("in its beginning")
    return _Beginning(_parse_header(header), salt, key_check, digest)


def _parse_header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise _build_damage_error("in its beginning")
    return header


def _derive_keys(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    """Return the file's own key, so that counted nonces never repeat, and a value that verifies the key."""
    derived = HKDF(SHA256(), 2 * _HASH_BYTES, salt=salt, info=b"caseload sealed file 1").derive(key)
    return AESGCM(derived[:_HASH_BYTES]), derived[_HASH_BYTES:]


def _read(f: BinaryIO, size: int) -> bytes:
    """Read this many bytes, or fewer at the end. A pipe returns them in pieces."""
    pieces = []
    while size and (piece := f.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _build_damage_error(where: str) -> DamagedBackup:
    return DamagedBackup(f"The backup is damaged or incomplete {where}. Use another copy of it, or an older backup.")
