"""The table of frames is the truth about the frames; the package stays readable."""

import re
from pathlib import Path

import polars as pl

import edi
from edi import layout, synthetic
from edi.problems import CODES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "edi.md").read_text()
READ = edi.read(synthetic.make_up(synthetic.Plan(claims=60, payments=2), 1).data)
BROKEN = edi.read(synthetic.broken("TRUNCATED: in the middle", synthetic.make_up(synthetic.Plan(claims=4), 1)).data)
EMPTY = edi.read(b"")


def test_every_frame_has_exactly_the_columns_of_the_table_whatever_was_read() -> None:
    for remittance in (READ, BROKEN, EMPTY):
        for name, frame in remittance.frames().items():
            assert dict(frame.schema) == dict(pl.DataFrame(schema=layout.schema_of(name)).schema), name


def test_made_up_remittances_fill_every_frame() -> None:
    assert {name for name, frame in READ.frames().items() if frame.is_empty()} == {"problems", "quantities"}


def test_the_page_names_every_frame_and_what_every_code_means() -> None:
    for name in layout.FRAMES:
        assert f"`{name}`" in PAGE
    told = re.findall(r"^\| `([A-Z0-9_]+)` \| (\w+) \| .{20,} \|$", PAGE, re.MULTILINE)
    assert sorted(told) == sorted((code, severity) for code, (severity, _) in CODES.items())


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    files = list((ROOT / "edi").rglob("*.py"))
    assert len(files) > 15
    assert {file.name for file in files if len(file.read_text().splitlines()) > 300} == set()


def test_row_numbers_are_row_numbers() -> None:
    for frame, key in ((READ.claims, "claim"), (READ.lines, "line"), (READ.payments, "transaction")):
        assert frame[key].to_list() == list(range(frame.height))
    pairs = READ.lines.join(READ.claims, on="claim").select(gap=pl.col("segment") - pl.col("segment_right"))
    assert (pairs["gap"] > 0).all()


def test_the_names_that_the_page_uses_are_public() -> None:
    used = set(re.findall(r"\bedi\.([A-Za-z_]+)", PAGE)) - {"md"}
    assert {"read", "stream", "write", "claim", "Limits"} <= used
    assert used <= set(edi.__all__)
