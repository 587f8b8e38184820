"""The container of a backup: an encrypted and authenticated stream with a header that can be read without the key.

    magic 8 | length of the header 4 | header, JSON | salt 32 | key check 32 | SHA-256 of all that 32 | sealed parts ...

The parts are 1 MiB each but the last (STREAM construction, AES-256-GCM). A part's nonce is its place in the row and
whether it is the last; the hash above, so header and salt, is authenticated with it. Nothing can therefore be cut off,
added, moved, repeated, altered or taken from another file unnoticed. Memory is bounded by a few parts and one chunk.

The plain hash before the parts needs no key: it tells a damaged beginning from a wrong key.
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
_HEADER_LONGEST = 1 << 20
_HASH_BYTES = 32
_PART_BYTES = 1 << 20
_TAG_BYTES = 16
_NONCE = struct.Struct(">3xQ?")


class DamagedBackup(CaseloadError):
    """The file is not as it was written."""

    code = "BACKUP_DAMAGED"


class WrongKey(CaseloadError):
    """The file is whole as far as can be told without its key, and this is not its key."""

    code = "BACKUP_KEY_WRONG"


class _Beginning(NamedTuple):
    header: dict[str, Any]
    salt: bytes
    key_check: bytes
    digest: bytes


def write_sealed(out: BinaryIO, key: bytes, header: dict[str, Any], chunks: Iterable[bytes]) -> None:
    """Write the chunks, in whatever sizes they come. The header has to name the master key as `key_id`."""
    if "key_id" not in header:
        raise ValueError("The header has to name the master key, or nobody will know which one opens the file.")
    header_bytes = json.dumps(header, sort_keys=True).encode()
    if len(header_bytes) > _HEADER_LONGEST:
        raise ValueError("The header is too long.")
    salt = os.urandom(_HASH_BYTES)
    cipher, key_check = _keys(key, salt)
    beginning = _MAGIC + _LENGTH.pack(len(header_bytes)) + header_bytes + salt + key_check
    digest = hashlib.sha256(beginning).digest()
    out.write(beginning + digest)
    number = 0
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > _PART_BYTES:  # and not >=: something has to be left for the last part
            out.write(cipher.encrypt(_NONCE.pack(number, False), waiting[:_PART_BYTES], digest))
            del waiting[:_PART_BYTES]
            number += 1
    out.write(cipher.encrypt(_NONCE.pack(number, True), waiting, digest))


def read_header(f: BinaryIO) -> dict[str, Any]:
    """The header, for people and for choosing the key. Only `read_sealed` proves who wrote it."""
    return _read_beginning(f).header


def read_sealed(f: BinaryIO, key: bytes) -> Iterator[bytes]:
    """The content, from a file at its start; a wrong key or a damaged beginning raises at once.

    Each part is authentic when it comes, but that nothing is missing is only known at the end: whoever reads keeps
    nothing of it unless the iterator ends without an error.
    """
    beginning = _read_beginning(f)
    cipher, key_check = _keys(key, beginning.salt)
    if not hmac.compare_digest(key_check, beginning.key_check):
        raise WrongKey(
            f"This backup was made with another master key, the one whose id is {beginning.header.get('key_id')!r}. "
            "Give that one; without it the backup cannot be read.",
        )
    return _parts(f, cipher, beginning.digest)


def _parts(f: BinaryIO, cipher: AESGCM, digest: bytes) -> Iterator[bytes]:
    number = 0
    part = _read(f, _PART_BYTES + _TAG_BYTES)
    while True:
        following = _read(f, _PART_BYTES + _TAG_BYTES)
        try:
            plain = cipher.decrypt(_NONCE.pack(number, not following), part, digest)
        except InvalidTag:
            plain = None
        if plain is None:
            raise _damaged(f"from part {number + 1} on")
        yield plain
        if not following:
            return
        part = following
        number += 1


def _read_beginning(f: BinaryIO) -> _Beginning:
    start = _read(f, len(_MAGIC) + _LENGTH.size)
    if not start.startswith(_MAGIC) or len(start) < len(_MAGIC) + _LENGTH.size:
        raise DamagedBackup("This is not a backup of this version of Caseload. Choose another file.")
    (length,) = _LENGTH.unpack_from(start, len(_MAGIC))
    if length > _HEADER_LONGEST:
        raise _damaged("in its beginning")
    rest = _read(f, length + 3 * _HASH_BYTES)
    header, salt, key_check, digest = (
        rest[:length],
        rest[length:][:_HASH_BYTES],
        rest[length + _HASH_BYTES :][:_HASH_BYTES],
        rest[length + 2 * _HASH_BYTES :],
    )
    if hashlib.sha256(start + header + salt + key_check).digest() != digest:
        raise _damaged("in its beginning")
    return _Beginning(_header(header), salt, key_check, digest)


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise _damaged("in its beginning")
    return header


def _keys(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    """The file's own key, so that counted nonces never meet twice, and a value that tells whether the key is right."""
    derived = HKDF(SHA256(), 2 * _HASH_BYTES, salt=salt, info=b"caseload sealed file 1").derive(key)
    return AESGCM(derived[:_HASH_BYTES]), derived[_HASH_BYTES:]


def _read(f: BinaryIO, size: int) -> bytes:
    """So many bytes, or fewer at the end: a pipe gives them in pieces."""
    pieces = []
    while size and (piece := f.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _damaged(where: str) -> DamagedBackup:
    return DamagedBackup(f"The backup is damaged or incomplete {where}. Use another copy of it, or an older backup.")
