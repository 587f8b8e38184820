"""Mutations of a good bundle: nothing breaks; each is refused with places that there are, or read as it stands."""

import csv
import io
import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.bundle.format import FILES, TABLES
from ingest.bundle.problems import BundleRefused
from ingest.bundle.reader import Bundle
from tests.support.builders.bundles import OAK_STREET, attempt

GOOD = {file.name: file.read_bytes() for file in sorted(OAK_STREET.iterdir())}
PIECES = [b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"|", b"-", b".", b"0", b"9" * 30]
PIECES += [b"Z", b"A1", b"K2", b"H1|H2", b"2026-02-30", b"true", b"SIGNED", b"\xc3\xa9", b"{key}", b" ", b"x" * 3000]

change = st.tuples(
    st.sampled_from(list(GOOD)),
    st.sampled_from(["insert", "remove", "replace", "double", "cut", "swap lines", "drop line"]),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(PIECES),
)


def changed(data: bytes, how: str, where: float, other: float, piece: bytes) -> bytes:
    at, then = sorted((int(where * len(data)), int(other * len(data))))
    lines = data.splitlines(keepends=True)
    one, two = int(where * len(lines)), int(other * len(lines))
    match how:
        case "insert":
            return data[:at] + piece + data[at:]
        case "remove":
            return data[:at] + data[at + 1 + int(other * 4) :]
        case "replace":
            return data[:at] + piece + data[at + len(piece) :]
        case "double":
            return data[:then] + data[at:]
        case "cut":
            return data[:at]
        case "swap lines" if lines:
            lines[one], lines[two] = lines[two], lines[one]
        case "drop line" if lines:
            del lines[one]
    return b"".join(lines)


@given(st.lists(change, min_size=1, max_size=4))
@settings(max_examples=20_000 if os.environ.get("CASELOAD_LONG") else 60, deadline=None)
def test_a_mutated_bundle_is_refused_with_its_places_or_read_as_it_stands(changes: list[tuple]) -> None:
    files = dict(GOOD)
    for name, *how in changes:
        files[name] = changed(files[name], *how)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        found = attempt(Path(folder))
        if isinstance(found, BundleRefused):
            look_at_refusal(found, files, changes)
        else:
            look_at_values(found, files)


def look_at_refusal(refused: BundleRefused, files: dict[str, bytes], changes: list[tuple]) -> None:
    assert 0 < len(refused.problems) == min(refused.total, 100)
    for problem in refused.problems:
        assert problem.file in FILES
        assert problem.line is None or 1 <= problem.line <= files[problem.file].count(b"\n") + 1
        assert problem.message.endswith(".")
        assert "{" not in problem.message or "{key}" in str(changes)


def look_at_values(bundle: Bundle, files: dict[str, bytes]) -> None:
    """Texts are what another reader makes of them."""
    for name, table in TABLES.items():
        frame = bundle.frames[name]
        others = list(csv.DictReader(io.StringIO(files[table.file].decode("utf-8-sig"), newline="\n"), strict=True))
        assert len(frame) == len(others)
        for column in table.columns:
            if column.kind in ("text", "prose", "email") and not column.references:
                assert frame[column.name].to_list() == [row.get(column.name) or None for row in others]
