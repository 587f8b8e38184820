"""Mutations of a valid bundle: each is refused with valid locations or read correctly, and nothing fails."""

import csv
import io
import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.bundle.format import TABLES, TABLES_BY_FILE
from ingest.bundle.problems import BundleRefused
from ingest.bundle.reader import Bundle
from tests.support.builders.bundles import OAK_STREET, try_read

VALID = {file.name: file.read_bytes() for file in sorted(OAK_STREET.iterdir())}
PIECES = [b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"|", b"-", b".", b"0", b"9" * 30]
PIECES += [b"Z", b"A1", b"K2", b"H1|H2", b"2026-02-30", b"true", b"SIGNED", b"\xc3\xa9", b"{key}", b" ", b"x" * 3000]

change = st.tuples(
    st.sampled_from(list(VALID)),
    st.sampled_from(["insert", "remove", "replace", "double", "cut", "swap lines", "drop line"]),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(PIECES),
)


def mutate(data: bytes, how: str, where: float, other: float, piece: bytes) -> bytes:
    start, end = sorted((int(where * len(data)), int(other * len(data))))
    lines = data.splitlines(keepends=True)
    first, second = int(where * len(lines)), int(other * len(lines))
    match how:
        case "insert":
            return data[:start] + piece + data[start:]
        case "remove":
            return data[:start] + data[start + 1 + int(other * 4) :]
        case "replace":
            return data[:start] + piece + data[start + len(piece) :]
        case "double":
            return data[:end] + data[start:]
        case "cut":
            return data[:start]
        case "swap lines" if lines:
            lines[first], lines[second] = lines[second], lines[first]
        case "drop line" if lines:
            del lines[first]
    return b"".join(lines)


@given(st.lists(change, min_size=1, max_size=4))
@settings(max_examples=20_000 if os.environ.get("CASELOAD_LONG") else 60, deadline=None)
def test_a_mutated_bundle_is_refused_with_locations_or_read_correctly(changes: list[tuple]) -> None:
    files = dict(VALID)
    for name, *how in changes:
        files[name] = mutate(files[name], *how)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        result = try_read(Path(folder))
        if isinstance(result, BundleRefused):
            check_refusal(result, files, changes)
        else:
            check_values(result, files)


def check_refusal(refusal: BundleRefused, files: dict[str, bytes], changes: list[tuple]) -> None:
    assert 0 < len(refusal.problems) == min(refusal.total, 100)
    for problem in refusal.problems:
        assert problem.file in TABLES_BY_FILE
        assert problem.line is None or 1 <= problem.line <= files[problem.file].count(b"\n") + 1
        assert problem.message.endswith(".")
        assert "{" not in problem.message or "{key}" in str(changes)


def check_values(bundle: Bundle, files: dict[str, bytes]) -> None:
    """Check that texts are what the csv module reads."""
    for name, table in TABLES.items():
        frame = bundle.frames[name]
        rows = list(csv.DictReader(io.StringIO(files[table.file].decode("utf-8-sig"), newline="\n"), strict=True))
        assert len(frame) == len(rows)
        for column in table.columns:
            if column.kind in ("text", "prose", "email") and not column.references:
                assert frame[column.name].to_list() == [row.get(column.name) or None for row in rows]
