"""Reading a file in pieces gives the same result as reading it whole, for any size of the pieces."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edi
from edi import streaming, synthetic

PLAN = synthetic.Plan(claims=3, payments=3, groups=2, interchanges=2)


def collect_content(pieces: list[edi.Remittance]) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of the main frames without columns that depend on the pieces."""
    dependent = ("transaction", "claim", "line", "interchange", "group", "refused", "segments", "sound")
    content = {}
    for name in ("payments", "claims", "lines", "adjustments", "names", "dates", "others", "problems", "remarks"):
        frame = pl.concat([getattr(piece, name).drop(dependent, strict=False) for piece in pieces])
        content[name] = frame.rows()
    return content


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000), st.integers(200, 3000), st.sampled_from(["*:~", "|>\n", "*:\r"]))
def test_pieces_contain_what_the_whole_file_contains(seed: int, size: int, delimiters: str) -> None:
    data = synthetic.generate(replace(PLAN, delimiters=delimiters), seed).data
    pieces = list(edi.stream(data, piece_bytes=size))
    assert collect_content(pieces) == collect_content([edi.read(data)])
    assert len(pieces) > 3


@pytest.mark.parametrize("name", synthetic.CORRUPTIONS)
def test_problems_are_found_in_pieces_too(name: str) -> None:
    data = synthetic.corrupt(name, synthetic.generate(PLAN, 3)).data
    pieces = list(edi.stream(data, piece_bytes=500))
    problems = [row for piece in pieces for row in piece.problems.select("code", "segment", "offset", "element").rows()]
    assert sorted(problems, key=str) == sorted(
        edi.read(data).problems.select("code", "segment", "offset", "element").rows(), key=str
    )


def test_interchanges_in_other_delimiters_are_found_between_pieces() -> None:
    first = synthetic.generate(PLAN, 1).data
    second = synthetic.generate(replace(PLAN, delimiters="|>\n"), 2).data
    pieces = list(edi.stream(first + second, piece_bytes=800))
    assert collect_content(pieces) == collect_content([edi.read(first + second)])


def test_line_breaks_and_leading_text_are_ignored(tmp_path: Path) -> None:
    data = b"To whom it may concern\r\n" + synthetic.generate(PLAN, 4).data.replace(b"~", b"~\r\n")
    (tmp_path / "a.835").write_bytes(data)
    pieces = list(edi.stream(tmp_path / "a.835", piece_bytes=700))
    assert collect_content(pieces) == collect_content([edi.read(data)])
    assert {name for piece in pieces for name in piece.files["name"]} == {str(tmp_path / "a.835")}


def test_a_patient_outside_every_claim_belongs_to_none_in_pieces_and_in_whole() -> None:
    rendered = synthetic.generate(synthetic.Plan(claims=2, kinds=("paid",)), 1)
    segments = [list(segment) for segment in rendered.segments]
    patient = next(at for at, segment in enumerate(segments) if segment[:2] == ["NM1", "QC"])
    end = next(at for at, segment in enumerate(segments) if segment[0] == "SE")
    segments[patient], segments[end] = segments[end], segments[patient]
    data = rendered.replace_segments(segments).data
    codes = [code for piece in edi.stream(data, piece_bytes=300) for code in piece.problems["code"]]
    assert sorted(codes) == sorted(edi.read(data).problems["code"])
    assert "MISSING_PATIENT" in codes


def test_each_piece_has_whole_payments() -> None:
    data = synthetic.generate(synthetic.Plan(claims=20, payments=10), 5).data
    for piece in edi.stream(data, piece_bytes=10_000):
        assert piece.payments["balanced_throughout"].all()
        assert piece.payments["end_segment"].null_count() == 0


def test_a_file_truncated_at_the_end_of_a_piece_is_reported() -> None:
    """The file ends behind an SE, so that the last piece ends where the file does."""
    rendered = synthetic.generate(PLAN, 3)
    last = max(at for at, segment in enumerate(rendered.segments) if segment[0] == "SE")
    data = rendered.replace_segments([list(segment) for segment in rendered.segments[: last + 1]]).data
    for end in (b"", b"\r\n", b"~ ~"):
        pieces = list(edi.stream(data + end, piece_bytes=len(data)))
        assert [piece.problems["code"].to_list() for piece in pieces] == [["TRUNCATED"]]
        assert collect_content(pieces) == collect_content([edi.read(data + end)])


def test_a_payment_interrupted_by_an_interchange_in_other_delimiters_is_unsound() -> None:
    first = synthetic.generate(PLAN, 3)
    end = next(at for at, segment in enumerate(first.segments) if segment[0] == "SE")
    second = synthetic.generate(replace(PLAN, delimiters="|>\n"), 9).data
    data = first.replace_segments([list(segment) for segment in first.segments[:end]]).data + second
    pieces = list(edi.stream(data, piece_bytes=300))
    assert collect_content(pieces) == collect_content([edi.read(data)])
    sound = [flag for piece in pieces for flag in piece.payments["sound"]]
    assert sound == edi.read(data).payments["sound"].to_list()
    assert sound[0] is False


def test_an_invalid_group_is_unsound_in_every_piece() -> None:
    good = synthetic.generate(synthetic.Plan(claims=2, payments=4), 3)
    segments = [list(segment) for segment in good.segments]
    segments[1][2] = ""
    data = good.replace_segments(segments).data
    pieces = list(edi.stream(data, piece_bytes=900))
    assert [flag for piece in pieces for flag in piece.payments["sound"]] == [False] * 4
    assert len(pieces) > 3


def test_a_transaction_without_end_is_searched_only_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = []
    monkeypatch.setattr(streaming, "_find_transaction_end", lambda buffer, _: searched.append(len(buffer)))
    path = tmp_path / "a.835"
    path.write_bytes(synthetic.generate(PLAN, 3).data[:500] + b"REF*6R*1~" * 2_000_000)
    list(edi.stream(path, piece_bytes=256 * 1024))
    assert sum(searched) < 4 * path.stat().st_size
