"""A file in pieces says what the whole file says, whatever the pieces are cut to."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edi
from edi import streaming, synthetic

PLAN = synthetic.Plan(claims=3, payments=3, groups=2, interchanges=2)


def together(pieces: list[edi.Remittance]) -> dict[str, list[tuple[object, ...]]]:
    """What does not depend on the pieces: segments, codes, amounts."""
    own = ("transaction", "claim", "line", "interchange", "group", "refused", "segments", "sound")
    found = {}
    for name in ("payments", "claims", "lines", "adjustments", "names", "dates", "others", "problems", "remarks"):
        whole = pl.concat([getattr(piece, name).drop(own, strict=False) for piece in pieces])
        found[name] = whole.rows()
    return found


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000), st.integers(200, 3000), st.sampled_from(["*:~", "|>\n", "*:\r"]))
def test_pieces_say_what_the_whole_says(seed: int, size: int, delimiters: str) -> None:
    data = synthetic.make_up(synthetic.Plan(**vars(PLAN) | {"delimiters": delimiters}), seed).data
    pieces = list(edi.stream(data, piece_bytes=size))
    assert together(pieces) == together([edi.read(data)])
    assert len(pieces) > 3


@pytest.mark.parametrize("name", synthetic.BREAKS)
def test_what_is_wrong_is_told_in_pieces_too(name: str) -> None:
    data = synthetic.broken(name, synthetic.make_up(PLAN, 3)).data
    pieces = list(edi.stream(data, piece_bytes=500))
    told = [row for piece in pieces for row in piece.problems.select("code", "segment", "offset", "element").rows()]
    assert sorted(told, key=str) == sorted(
        edi.read(data).problems.select("code", "segment", "offset", "element").rows(), key=str
    )


def test_interchanges_in_other_delimiters_are_found_between_pieces() -> None:
    first = synthetic.make_up(PLAN, 1).data
    second = synthetic.make_up(synthetic.Plan(**vars(PLAN) | {"delimiters": "|>\n"}), 2).data
    pieces = list(edi.stream(first + second, piece_bytes=800))
    assert together(pieces) == together([edi.read(first + second)])


def test_line_breaks_and_what_stands_before(tmp_path: Path) -> None:
    data = b"To whom it may concern\r\n" + synthetic.make_up(PLAN, 4).data.replace(b"~", b"~\r\n")
    (tmp_path / "a.835").write_bytes(data)
    pieces = list(edi.stream(tmp_path / "a.835", piece_bytes=700))
    assert together(pieces) == together([edi.read(data)])
    assert {name for piece in pieces for name in piece.files["name"]} == {str(tmp_path / "a.835")}


def test_a_patient_outside_every_claim_is_nobodys_in_pieces_and_in_whole() -> None:
    written = synthetic.make_up(synthetic.Plan(claims=2, kinds=("paid",)), 1)
    segments = [list(segment) for segment in written.segments]
    patient = next(at for at, segment in enumerate(segments) if segment[:2] == ["NM1", "QC"])
    end = next(at for at, segment in enumerate(segments) if segment[0] == "SE")
    segments[patient], segments[end] = segments[end], segments[patient]
    data = written.with_segments(segments).data
    told = [code for piece in edi.stream(data, piece_bytes=300) for code in piece.problems["code"]]
    assert sorted(told) == sorted(edi.read(data).problems["code"])
    assert "MISSING_PATIENT" in told


def test_each_piece_is_of_whole_payments() -> None:
    data = synthetic.make_up(synthetic.Plan(claims=20, payments=10), 5).data
    for piece in edi.stream(data, piece_bytes=10_000):
        assert piece.payments["balanced_throughout"].all()
        assert piece.payments["end_segment"].null_count() == 0


def test_a_file_cut_off_at_the_end_of_a_piece_is_cut_off() -> None:
    """Behind an SE, so that the pieces end where the file does."""
    written = synthetic.make_up(PLAN, 3)
    last = max(at for at, segment in enumerate(written.segments) if segment[0] == "SE")
    data = written.with_segments([list(segment) for segment in written.segments[: last + 1]]).data
    for end in (b"", b"\r\n", b"~ ~"):
        pieces = list(edi.stream(data + end, piece_bytes=len(data)))
        assert [piece.problems["code"].to_list() for piece in pieces] == [["TRUNCATED"]]
        assert together(pieces) == together([edi.read(data + end)])


def test_a_payment_broken_off_by_an_interchange_in_other_delimiters_is_the_wrong_one() -> None:
    first = synthetic.make_up(PLAN, 3)
    end = next(at for at, segment in enumerate(first.segments) if segment[0] == "SE")
    second = synthetic.make_up(synthetic.Plan(**vars(PLAN) | {"delimiters": "|>\n"}), 9).data
    data = first.with_segments([list(segment) for segment in first.segments[:end]]).data + second
    pieces = list(edi.stream(data, piece_bytes=300))
    assert together(pieces) == together([edi.read(data)])
    sound = [flag for piece in pieces for flag in piece.payments["sound"]]
    assert sound == edi.read(data).payments["sound"].to_list()
    assert sound[0] is False


def test_a_wrong_group_is_wrong_in_every_piece() -> None:
    good = synthetic.make_up(synthetic.Plan(claims=2, payments=4), 3)
    segments = [list(segment) for segment in good.segments]
    segments[1][2] = ""
    data = good.with_segments(segments).data
    pieces = list(edi.stream(data, piece_bytes=900))
    assert [flag for piece in pieces for flag in piece.payments["sound"]] == [False] * 4
    assert len(pieces) > 3


def test_a_transaction_without_end_is_searched_a_few_times_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = []
    monkeypatch.setattr(streaming, "_end_of_transaction", lambda held, _: searched.append(len(held)))
    path = tmp_path / "a.835"
    path.write_bytes(synthetic.make_up(PLAN, 3).data[:500] + b"REF*6R*1~" * 2_000_000)
    list(edi.stream(path, piece_bytes=256 * 1024))
    assert sum(searched) < 4 * path.stat().st_size
