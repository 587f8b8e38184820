"""What is too large, not an 835, or hidden in an archive is refused; nothing that comes in makes it hold much."""

import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import edi
from edi import synthetic

MEGABYTES = 1024 if "CASELOAD_LONG" in os.environ else 100
GOOD = synthetic.make_up(synthetic.Plan(claims=5, payments=2), 1).data


def codes(remittance: edi.Remittance) -> list[str]:
    return remittance.problems["code"].to_list()


def zipped(**files: bytes) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return into.getvalue()


def test_a_file_above_the_limit_is_refused_and_one_at_it_is_read() -> None:
    assert codes(edi.read(GOOD, limits=edi.Limits(file_bytes=len(GOOD)))) == []
    refused = edi.read(GOOD, limits=edi.Limits(file_bytes=len(GOOD) - 1))
    assert codes(refused) == ["TOO_LARGE"]
    assert refused.files.select("refused", "bytes").rows() == [(True, len(GOOD))]
    assert f"{len(GOOD) - 1:,} bytes" in refused.problems["message"][0]


def test_a_transaction_above_the_limit_refuses_its_file_alone() -> None:
    longest = max(end - start for start, end in edi.read(GOOD).payments.select("segment", "end_segment").rows()) + 1
    assert codes(edi.read(GOOD, limits=edi.Limits(transaction_segments=longest))) == []
    limits = edi.Limits(transaction_segments=longest - 1)
    short = synthetic.make_up(synthetic.Plan(claims=1, kinds=("paid",)), 1).data
    both = edi.read_many([("long", GOOD), ("short", short)], limits)
    assert both.problems.select("file", "code").rows() == [(0, "TRANSACTION_TOO_LONG")]
    assert both.files["refused"].to_list() == [True, False]
    assert codes(list(edi.stream(GOOD, limits))[-1]) == ["TRANSACTION_TOO_LONG"]


@pytest.mark.parametrize("blank", [b"", b"~\n"])
def test_a_segment_above_the_limit(blank: bytes) -> None:
    limits = edi.Limits(segment_bytes=300)
    for size, expected in ((300, []), (301, ["SEGMENT_TOO_LONG"])):
        data = GOOD.replace(b"REF*TJ*123456789~", b"REF*TJ*" + b"9" * (size - 7) + b"~" + blank, 1)
        found = edi.read(data, limits=limits)
        assert [code for code in codes(found) if code == "SEGMENT_TOO_LONG"] == expected
        assert [code for code in codes(list(edi.stream(data, limits, 100))[-1]) if code.startswith("SEG")] == expected


@pytest.mark.parametrize("filling", [b"~A", b"*", b"A*", b"~"])
def test_a_file_of_nothing_but_delimiters(filling: bytes) -> None:
    data = GOOD + filling * 20_000
    limits = edi.Limits(file_parts=20_000)
    assert codes(edi.read(data, limits=limits)) == ["TOO_MANY_PARTS"]
    assert codes(list(edi.stream(data, limits))[-1]) == ["TOO_MANY_PARTS"]
    assert codes(edi.read(GOOD, limits=limits)) == []


def test_archives_are_opened() -> None:
    alone = edi.read(GOOD)
    assert edi.read(gzip.compress(GOOD)).claims.equals(alone.claims)
    archive = edi.read(zipped(**{"a.835": GOOD, "folder/b.835": GOOD, "__MACOSX/c": b"x"}), "c.zip")
    assert archive.files["name"].to_list() == ["c.zip/a.835", "c.zip/folder/b.835"]
    assert archive.claims.height == 2 * alone.claims.height


def test_archives_by_path(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD))
    (tmp_path / "b.zip").write_bytes(zipped(b=GOOD))
    (tmp_path / "c.835").write_bytes(GOOD)
    read = edi.read_files([tmp_path / "a.gz", str(tmp_path / "b.zip"), tmp_path / "c.835"])
    assert read.problems["code"].to_list() == []
    assert read.files["bytes"].to_list() == [len(GOOD)] * 3


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(GOOD)[:-20], "BAD_ARCHIVE"),
        (gzip.compress(GOOD)[:30] + b"\0" * 500, "BAD_ARCHIVE"),
        (b"\x1f\x8b", "BAD_ARCHIVE"),
        (zipped(a=GOOD)[:200], "BAD_ARCHIVE"),
        (b"PK\x03\x04", "BAD_ARCHIVE"),
        (zipped(), "EMPTY"),
        (zipped(a=zipped(b=GOOD)), "NOT_X12"),
        (zipped(**{f"{n}": b"" for n in range(1001)}), "TOO_LARGE"),
        (gzip.compress(b""), "EMPTY"),
        (b"I\0S\0A\0*\0", "NOT_X12"),
        (b"ISA*00*", "NOT_X12"),
        (b"A" * 200_000 + GOOD, "NOT_X12"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_835_is_said_to_be_none(data: bytes, code: str) -> None:
    for found in (edi.read(data, "x"), list(edi.stream(data))[-1]):
        assert codes(found) == [code]
        assert found.files["refused"].to_list() == [True]


def test_an_archive_with_a_password_is_not_opened() -> None:
    data = bytearray(zipped(a=GOOD))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    assert codes(edi.read(bytes(data))) == ["BAD_ARCHIVE"]


def test_an_archive_that_lies_about_its_size_is_counted() -> None:
    zeros = b"0" * 2_000_000
    data = bytearray(zipped(a=zeros))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + at
        data[place : place + 4] = (10).to_bytes(4, "little")
    assert codes(edi.read(bytes(data), limits=edi.Limits(file_bytes=1_000_000))) in (["TOO_LARGE"], ["BAD_ARCHIVE"])


BOMBS = """
import sys
from pathlib import Path
import edi
def most():  # what `resource` says begins with that of the process which started this one
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
folder = Path(sys.argv[1])
before = most()
for file in sorted(folder.iterdir()):
    for piece in [edi.read_files([file]), *edi.stream(file)]:
        print(file.name, piece.problems["code"].to_list(), piece.claims.height)
data = b"ISA".ljust(40_000_000, b"A")
print("bytes", edi.read(data).problems["code"].to_list())
del data
print("grew", most() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nothing here tells how much a process held")
def test_bombs_are_refused_without_being_held(tmp_path: Path) -> None:
    """A zip of zeros, a gz of the same, 200 MB without an end of a segment (sparse on the disk)."""
    zeros = b"\0" * 2**20
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w") as into:
        for _ in range(MEGABYTES):
            into.write(zeros)
    with gzip.open(tmp_path / "b.gz", "wb", compresslevel=1) as out:
        for _ in range(MEGABYTES):
            out.write(zeros)
    with (tmp_path / "c.835").open("wb") as file:
        file.write(GOOD[:106])
        file.truncate(200 * 2**20)
    told = subprocess.run([sys.executable, "-c", BOMBS, tmp_path], capture_output=True, text=True, check=True).stdout
    lines = told.splitlines()
    assert lines[:6] == [f"{name} ['TOO_LARGE'] 0" for name in ("a.zip", "a.zip", "b.gz", "b.gz", "c.835", "c.835")]
    assert lines[6] == "bytes ['NOT_X12']"
    assert int(lines[7].split()[1]) < 60 * 1024  # kB; the 40 MB that the program itself holds are in it
