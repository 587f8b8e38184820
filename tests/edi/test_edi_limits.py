"""Files that are too large, not an 835 or a decompression bomb are refused without using much memory."""

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
GOOD = synthetic.generate(synthetic.Plan(claims=5, payments=2), 1).data


def list_codes(remittance: edi.Remittance) -> list[str]:
    return remittance.problems["code"].to_list()


def make_zip(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_file_above_the_limit_is_refused_and_one_at_the_limit_is_read() -> None:
    assert list_codes(edi.read(GOOD, limits=edi.Limits(file_bytes=len(GOOD)))) == []
    refused = edi.read(GOOD, limits=edi.Limits(file_bytes=len(GOOD) - 1))
    assert list_codes(refused) == ["TOO_LARGE"]
    assert refused.files.select("refused", "bytes").rows() == [(True, len(GOOD))]
    assert f"{len(GOOD) - 1:,} bytes" in refused.problems["message"][0]


def test_a_transaction_above_the_limit_refuses_only_its_file() -> None:
    longest = max(end - start for start, end in edi.read(GOOD).payments.select("segment", "end_segment").rows()) + 1
    assert list_codes(edi.read(GOOD, limits=edi.Limits(transaction_segments=longest))) == []
    limits = edi.Limits(transaction_segments=longest - 1)
    short = synthetic.generate(synthetic.Plan(claims=1, kinds=("paid",)), 1).data
    both = edi.read_many([("long", GOOD), ("short", short)], limits)
    assert both.problems.select("file", "code").rows() == [(0, "TRANSACTION_TOO_LONG")]
    assert both.files["refused"].to_list() == [True, False]
    assert list_codes(list(edi.stream(GOOD, limits))[-1]) == ["TRANSACTION_TOO_LONG"]


@pytest.mark.parametrize("blank", [b"", b"~\n"])
def test_a_segment_above_the_limit_is_refused(blank: bytes) -> None:
    limits = edi.Limits(segment_bytes=300)
    for size, expected in ((300, []), (301, ["SEGMENT_TOO_LONG"])):
        data = GOOD.replace(b"REF*TJ*123456789~", b"REF*TJ*" + b"9" * (size - 7) + b"~" + blank, 1)
        remittance = edi.read(data, limits=limits)
        assert [code for code in list_codes(remittance) if code == "SEGMENT_TOO_LONG"] == expected
        assert [
            code for code in list_codes(list(edi.stream(data, limits, 100))[-1]) if code.startswith("SEG")
        ] == expected


@pytest.mark.parametrize("filling", [b"~A", b"*", b"A*", b"~"])
def test_a_file_of_nothing_but_delimiters_is_refused(filling: bytes) -> None:
    data = GOOD + filling * 20_000
    limits = edi.Limits(file_parts=20_000)
    assert list_codes(edi.read(data, limits=limits)) == ["TOO_MANY_PARTS"]
    assert list_codes(list(edi.stream(data, limits))[-1]) == ["TOO_MANY_PARTS"]
    assert list_codes(edi.read(GOOD, limits=limits)) == []


def test_archives_are_read_from_bytes() -> None:
    alone = edi.read(GOOD)
    assert edi.read(gzip.compress(GOOD)).claims.equals(alone.claims)
    archive = edi.read(make_zip(**{"a.835": GOOD, "folder/b.835": GOOD, "__MACOSX/c": b"x"}), "c.zip")
    assert archive.files["name"].to_list() == ["c.zip/a.835", "c.zip/folder/b.835"]
    assert archive.claims.height == 2 * alone.claims.height


def test_archives_are_read_by_path(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD))
    (tmp_path / "b.zip").write_bytes(make_zip(b=GOOD))
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
        (make_zip(a=GOOD)[:200], "BAD_ARCHIVE"),
        (b"PK\x03\x04", "BAD_ARCHIVE"),
        (make_zip(), "EMPTY"),
        (make_zip(a=make_zip(b=GOOD)), "NOT_X12"),
        (make_zip(**{f"{n}": b"" for n in range(1001)}), "TOO_LARGE"),
        (gzip.compress(b""), "EMPTY"),
        (b"I\0S\0A\0*\0", "NOT_X12"),
        (b"ISA*00*", "NOT_X12"),
        (b"A" * 200_000 + GOOD, "NOT_X12"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_not_an_835_is_refused_with_its_code(data: bytes, code: str) -> None:
    for remittance in (edi.read(data, "x"), list(edi.stream(data))[-1]):
        assert list_codes(remittance) == [code]
        assert remittance.files["refused"].to_list() == [True]


def test_an_encrypted_archive_is_refused() -> None:
    data = bytearray(make_zip(a=GOOD))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert list_codes(edi.read(bytes(data))) == ["BAD_ARCHIVE"]


def test_an_archive_with_false_sizes_is_counted() -> None:
    zeros = b"0" * 2_000_000
    data = bytearray(make_zip(a=zeros))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(signature) + offset
        data[start : start + 4] = (10).to_bytes(4, "little")
    assert list_codes(edi.read(bytes(data), limits=edi.Limits(file_bytes=1_000_000))) in (
        ["TOO_LARGE"],
        ["BAD_ARCHIVE"],
    )


BOMBS = """
import sys
from pathlib import Path
import edi
def read_peak_memory():  # `resource` would include the peak of the parent process
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
folder = Path(sys.argv[1])
before = read_peak_memory()
for file in sorted(folder.iterdir()):
    for piece in [edi.read_files([file]), *edi.stream(file)]:
        print(file.name, piece.problems["code"].to_list(), piece.claims.height)
data = b"ISA".ljust(40_000_000, b"A")
print("bytes", edi.read(data).problems["code"].to_list())
del data
print("grew", read_peak_memory() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to measure memory")
def test_decompression_bombs_are_refused_without_filling_memory(tmp_path: Path) -> None:
    """Read a .zip of zeros, a .gz of zeros, and 200 MB without a terminator (a sparse file)."""
    zeros = b"\0" * 2**20
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w") as member:
        for _ in range(MEGABYTES):
            member.write(zeros)
    with gzip.open(tmp_path / "b.gz", "wb", compresslevel=1) as compressed:
        for _ in range(MEGABYTES):
            compressed.write(zeros)
    with (tmp_path / "c.835").open("wb") as file:
        file.write(GOOD[:106])
        file.truncate(200 * 2**20)
    command = [sys.executable, "-c", BOMBS, tmp_path]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[:6] == [f"{name} ['TOO_LARGE'] 0" for name in ("a.zip", "a.zip", "b.gz", "b.gz", "c.835", "c.835")]
    assert lines[6] == "bytes ['NOT_X12']"
    assert int(lines[7].split()[1]) < 60 * 1024  # kB, including the 40 MB of the program itself
