"""The container of a backup."""

import hashlib
import io
import json
import os
import tracemalloc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.store import sealed_file
from practice.store.sealed_file import DamagedBackup, WrongKey, read_header, read_sealed, write_sealed

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
HEADER = {"key_id": "0123456789abcdef", "made_at": "2026-03-02T12:00:00Z", "what": "übung"}
SMALL_PART, REAL_PART = 8, sealed_file._PART_BYTES
BEFORE_PARTS = 8 + 4 + len(json.dumps(HEADER)) + 3 * 32


def seal(content: bytes, header: dict | None = None, key: bytes = KEY) -> bytes:
    out = io.BytesIO()
    write_sealed(out, key, header or HEADER, [content])
    return out.getvalue()


def open_sealed(data: bytes, key: bytes = KEY) -> bytes:
    return b"".join(read_sealed(io.BytesIO(data), key))


@pytest.fixture(autouse=True, scope="module")
def use_small_parts() -> Iterator[None]:
    """Use tiny parts, so that files of many parts can be damaged at every byte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed_file, "_PART_BYTES", SMALL_PART)
        yield


@contextmanager
def use_real_parts() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed_file, "_PART_BYTES", REAL_PART)
        yield


def split_parts(data: bytes) -> tuple[bytes, list[bytes]]:
    size = SMALL_PART + 16
    return data[:BEFORE_PARTS], [data[i : i + size] for i in range(BEFORE_PARTS, len(data), size)]


@given(st.lists(st.binary(max_size=40), max_size=6), st.dictionaries(st.text(), st.text() | st.integers()))
def test_what_is_written_is_read(chunks: list[bytes], extra: dict) -> None:
    header = {**extra, "key_id": "abc"}
    out = io.BytesIO()
    write_sealed(out, KEY, header, iter(chunks))
    assert open_sealed(out.getvalue()) == b"".join(chunks)
    assert read_header(io.BytesIO(out.getvalue())) == header


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 16, 17, 64])
def test_parts_are_full_but_the_last(size: int) -> None:
    content = os.urandom(size)
    data = seal(content)
    assert open_sealed(data) == content
    assert len(data) == BEFORE_PARTS + size + 16 * max(1, -(-size // SMALL_PART))


def test_every_changed_bit_is_noticed() -> None:
    data = seal(bytes(20))
    for index in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[index] ^= 1 << bit
            with pytest.raises(DamagedBackup):
                open_sealed(bytes(damaged))


@pytest.mark.parametrize("size", [0, 5, 8, 16, 20])
def test_every_missing_end_is_noticed(size: int) -> None:
    data = seal(bytes(size))
    for length in range(len(data)):
        with pytest.raises(DamagedBackup):
            open_sealed(data[:length])


@given(st.integers(0, 40), st.binary(min_size=1, max_size=60))
def test_anything_behind_the_end_is_noticed(size: int, garbage: bytes) -> None:
    with pytest.raises(DamagedBackup):
        open_sealed(seal(bytes(size)) + garbage)


@given(st.integers(0, 60), st.data())
def test_any_splice_is_noticed(size: int, data: st.DataObject) -> None:
    original = seal(bytes(size))
    start, end = sorted((data.draw(st.integers(0, len(original))), data.draw(st.integers(0, len(original)))))
    spliced = original[:start] + data.draw(st.binary(max_size=30)) + original[end:]
    if spliced != original:
        with pytest.raises(DamagedBackup):
            open_sealed(spliced)


@given(st.lists(st.integers(0, 3), max_size=6))
def test_parts_in_any_other_order_or_number_are_noticed(order: list[int]) -> None:
    beginning, parts = split_parts(seal(bytes(4 * SMALL_PART)))
    rearranged = beginning + b"".join(parts[i] for i in order)
    if order == [0, 1, 2, 3]:
        assert open_sealed(rearranged) == bytes(4 * SMALL_PART)
    else:
        with pytest.raises(DamagedBackup):
            open_sealed(rearranged)


def test_parts_of_another_file_under_the_same_key_are_noticed() -> None:
    first, second = split_parts(seal(bytes(32))), split_parts(seal(bytes(32)))
    for i in range(4):
        mixed = [*first[1][:i], second[1][i], *first[1][i + 1 :]]
        with pytest.raises(DamagedBackup):
            open_sealed(first[0] + b"".join(mixed))
    with pytest.raises(DamagedBackup):
        open_sealed(second[0] + b"".join(first[1]))


def forge_header(data: bytes, header: dict) -> bytes:
    """Return the same parts with another header and plain hash, as forge_header without the key."""
    text = json.dumps(header, sort_keys=True).encode()
    beginning = data[:8] + len(text).to_bytes(4, "big") + text + data[BEFORE_PARTS - 96 : BEFORE_PARTS - 32]
    return beginning + hashlib.sha256(beginning).digest() + data[BEFORE_PARTS:]


def test_a_forged_header_is_noticed_with_the_key() -> None:
    data = seal(b"content of March")
    assert open_sealed(forge_header(data, HEADER)) == b"content of March"
    swapped = forge_header(data, {**HEADER, "made_at": "2026-04-02T12:00:00Z"})
    assert read_header(io.BytesIO(swapped))["made_at"] == "2026-04-02T12:00:00Z"  # all that can be read without the key
    with pytest.raises(DamagedBackup):
        open_sealed(swapped)


@pytest.mark.parametrize("text", [b"[]", b"{", b"\xff", b"[" * 100_000])
def test_an_invalid_header_is_reported_as_damage(text: bytes) -> None:
    beginning = b"CASELD\x00\x01" + len(text).to_bytes(4, "big") + text + bytes(64)
    with pytest.raises(DamagedBackup):
        read_header(io.BytesIO(beginning + hashlib.sha256(beginning).digest()))


def test_a_header_that_claims_to_be_huge_is_not_read() -> None:
    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 <= size < 2 << 20
            return super().read(size)

    data = seal(b"")
    with pytest.raises(DamagedBackup):
        read_header(Watched(data[:8] + b"\xff\xff\xff\xff" + data[12:]))
    with pytest.raises(ValueError, match="too long"):
        seal(b"", {"key_id": "x" * (1 << 20)})


def test_another_key_is_distinguished_from_damage_before_anything_is_read() -> None:
    data = seal(b"content")
    with pytest.raises(WrongKey, match="0123456789abcdef"):
        read_sealed(io.BytesIO(data), OTHER_KEY)  # not even iterated
    with pytest.raises(DamagedBackup):
        open_sealed(data[:-1], KEY)
    with pytest.raises(DamagedBackup):
        open_sealed(data[: BEFORE_PARTS - 40] + b"\0" + data[BEFORE_PARTS - 39 :], OTHER_KEY)


@pytest.mark.parametrize("data", [b"", b"PGDMP" + bytes(100), b"CASELD\x00\x02" + bytes(200), b"CASELD"])
def test_another_kind_of_file_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedBackup, match="not a backup"):
        read_header(io.BytesIO(data))


def test_the_header_names_its_master_key() -> None:
    with pytest.raises(ValueError, match="master key"):
        seal(b"", {"made_at": "now"})


def test_nothing_of_the_content_is_readable() -> None:
    assert b"canary" not in seal(b"canary" * 10)
    assert seal(b"canary") != seal(b"canary")


def test_an_unfinished_backup_is_refused() -> None:
    def failing() -> Iterator[bytes]:
        yield bytes(20)
        raise OSError("the database went away")

    out = io.BytesIO()
    with pytest.raises(OSError, match="went away"):
        write_sealed(out, KEY, HEADER, failing())
    with pytest.raises(DamagedBackup):
        open_sealed(out.getvalue())


def test_damage_is_noticed_before_the_damaged_part_is_returned() -> None:
    beginning, parts = split_parts(seal(b"aaaaaaaabbbbbbbbcccc"))
    stream = read_sealed(io.BytesIO(beginning + parts[0] + parts[0] + parts[2]), KEY)
    assert next(stream) == b"aaaaaaaa"
    with pytest.raises(DamagedBackup, match="part 2"):
        next(stream)


def test_a_pipe_may_return_a_file_in_pieces() -> None:
    class Pipe(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(3, size or 0))

    assert b"".join(read_sealed(Pipe(seal(bytes(50))), KEY)) == bytes(50)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 3 << 20))
def test_real_parts_round_trip(size: int) -> None:
    content = os.urandom(size)
    with use_real_parts():
        assert open_sealed(seal(content)) == content


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    tracemalloc.start()
    try:
        with use_real_parts(), path.open("wb") as out:
            write_sealed(out, KEY, HEADER, (bytes(100_000) for _ in range(500)))  # 50 MB
        with use_real_parts(), path.open("rb") as f:
            assert sum(len(plain) for plain in read_sealed(f, KEY)) == 50_000_000
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
