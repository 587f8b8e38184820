"""Frames, the layout table and docs/edi.md agree, and the package stays readable."""

import re
from pathlib import Path

import polars as pl

import edi
from edi import layout, synthetic
from edi.problems import CODES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "edi.md").read_text()
READ = edi.read(synthetic.generate(synthetic.Plan(claims=60, payments=2), 1).data)
CORRUPTED = edi.read(
    synthetic.corrupt("TRUNCATED: within a segment", synthetic.generate(synthetic.Plan(claims=4), 1)).data
)
EMPTY = edi.read(b"")


def test_every_frame_has_exactly_the_columns_of_the_table() -> None:
    for remittance in (READ, CORRUPTED, EMPTY):
        for name, frame in remittance.to_frames().items():
            assert dict(frame.schema) == dict(pl.DataFrame(schema=layout.build_schema(name)).schema), name


def test_synthetic_remittances_fill_every_frame() -> None:
    assert {name for name, frame in READ.to_frames().items() if frame.is_empty()} == {"problems", "quantities"}


def test_the_page_describes_every_frame_and_every_code() -> None:
    for name in layout.FRAMES:
        assert f"`{name}`" in PAGE
    documented = re.findall(r"^\| `([A-Z0-9_]+)` \| (\w+) \| .{20,} \|$", PAGE, re.MULTILINE)
    assert sorted(documented) == sorted((code, severity) for code, (severity, _) in CODES.items())


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    files = list((ROOT / "edi").rglob("*.py"))
    assert len(files) > 15
    assert {file.name for file in files if len(file.read_text().splitlines()) > 300} == set()


def test_row_numbers_are_row_numbers() -> None:
    for frame, key in ((READ.claims, "claim"), (READ.lines, "line"), (READ.payments, "transaction")):
        assert frame[key].to_list() == list(range(frame.height))
    pairs = READ.lines.join(READ.claims, on="claim").select(gap=pl.col("segment") - pl.col("segment_right"))
    assert (pairs["gap"] > 0).all()


def test_names_used_on_the_page_are_public() -> None:
    used = set(re.findall(r"\bedi\.([A-Za-z_]+)", PAGE)) - {"md"}
    assert {"read", "stream", "write", "get_claim", "Limits"} <= used
    assert used <= set(edi.__all__)
