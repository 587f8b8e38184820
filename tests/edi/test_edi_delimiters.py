"""The result does not depend on delimiters, line breaks, encoding or surrounding text."""

from dataclasses import replace

import pytest

import edi
from edi import synthetic, tokens

PLAN = synthetic.Plan(claims=4, payments=2, groups=2)


def read_content(data: bytes) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of all frames without columns that depend on delimiters or positions."""
    remittance = edi.read(data)
    assert remittance.problems.is_empty()
    dependent = (
        "element_separator",
        "component_separator",
        "segment_terminator",
        "bytes",
        "offset",
        "elements",
        "repetition",
    )
    return {name: frame.drop(dependent, strict=False).rows() for name, frame in remittance.to_frames().items()}


@pytest.mark.parametrize("delimiters", ["|>~", "*:\n", "*:\r", "=\\'", "\t;!", "\x1d\x1f\x1c", "+:'", "*<|"])
@pytest.mark.parametrize("line_breaks", [False, True])
def test_any_delimiters_are_read(delimiters: str, line_breaks: bool) -> None:
    default = synthetic.generate(PLAN, 5)
    other = synthetic.RenderedFile(default.segments, delimiters, line_breaks)
    assert read_content(other.data) == read_content(default.data)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"From: payer\r\nX-VISA*: none\r\n\r\n" + data,
        lambda data: data.replace(b"~", b"~\r\n"),
        lambda data: data.replace(b"~", b"~\n\n  "),
        lambda data: data[:106] + data[106:].replace(b"~", b" ~ \r\n"),
        lambda data: data + b" \r\n\r\n\x20",
        lambda data: data.replace(b"*11*1~", b" * 11*1 ~"),
    ],
)
def test_surrounding_text_and_blanks_are_ignored(wrap) -> None:
    data = synthetic.generate(PLAN, 6).data
    assert read_content(wrap(data)) == read_content(data)


@pytest.mark.parametrize("size", [1, 100, 1_000])
@pytest.mark.parametrize("delimiters", ["*:~", "*:\n", "|>\r"])
def test_batch_boundaries_do_not_change_the_result(size: int, delimiters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(PLAN, interchanges=2)
    rendered = [
        synthetic.RenderedFile(synthetic.generate(plan, seed).segments, delimiters, line_breaks=True) for seed in (1, 2)
    ]
    spaced = [file.data[:150] + file.data[150:].replace(b"*11*", b" *11* ") for file in rendered]
    files = [(str(number), data) for number, data in enumerate(spaced)]
    expected = edi.read_many(files)
    assert expected.claims.height == 2 * 2 * 2 * 2 * 4
    monkeypatch.setattr(tokens, "BATCH_BYTES", size)
    monkeypatch.setattr(tokens, "PROCESSORS", 1_000)
    assert edi.read_many(files) == expected


def test_trailing_element_separators_are_ignored() -> None:
    data = synthetic.generate(PLAN, 6).data
    longer = edi.read(data.replace(b"*11*1~", b"*11*1**~"))
    assert longer.claims.equals(edi.read(data).claims)
    assert longer.problems.is_empty()


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_an_empty_last_element_does_not_hide_a_line_break_terminator(end: str) -> None:
    good = synthetic.generate(synthetic.Plan(claims=2, delimiters=f"*:{end}"), 3).data
    sign = end.encode()
    emptied = good.replace(b"*11*1" + sign, b"*11*1**" + sign)
    assert emptied != good
    assert edi.read(emptied).claims.equals(edi.read(good).claims)
    assert edi.read(emptied).problems.is_empty()


def test_each_interchange_has_its_own_delimiters() -> None:
    first, second = synthetic.generate(PLAN, 1), synthetic.generate(PLAN, 2)
    other = synthetic.RenderedFile(tuple(renumber(second)), "|>\n")
    third = synthetic.RenderedFile(tuple(renumber(second, "000000003")), "*:~")
    remittance = edi.read(first.data + other.data + b"\r\n" + third.data)
    assert set(remittance.problems["code"]) <= {"TRACE_REPEATED", "PAYMENT_REPEATED"}  # all begin with the same number
    assert remittance.interchanges["element_separator"].to_list() == ["*", "|", "*"]
    assert remittance.claims.height == 3 * 16
    alone = [edi.read(file.data).lines["procedure"].to_list() for file in (first, other, third)]
    assert remittance.lines["procedure"].to_list() == [code for codes in alone for code in codes]
    assert edi.read(edi.write(remittance)) == remittance


def renumber(file: synthetic.RenderedFile, control: str = "000000002") -> list[list[str]]:
    """Return the segments with another control number of the interchange."""
    segments = [list(segment) for segment in file.segments]
    segments[0][13] = segments[-1][2] = control
    return segments


def test_a_name_that_looks_like_an_isa_is_read_as_a_name() -> None:
    data = synthetic.generate(PLAN, 6).data.replace(b"*ALDER*", b"*ISA*").replace(b"*BIRCH*", b"*LE ISA*")
    assert edi.read(data).problems.is_empty()


def test_latin_1_is_read_and_offsets_count_bytes() -> None:
    good = synthetic.generate(synthetic.Plan(claims=3), 2)
    data = synthetic.corrupt("BAD_DATE: no such day", good).data
    for encoded in (
        data.replace(b"MADE UP PRACTICE", "PRÁCTICA Ñ".encode("latin-1")),
        data.replace(b"MADE UP PRACTICE", "PRÁCTICA Ñ".encode()),
    ):
        remittance = edi.read(encoded)
        assert remittance.payments["payee_name"].to_list() == ["PRÁCTICA Ñ"]
        offset = remittance.problems["offset"][0]
        assert encoded[offset : offset + 4] == b"DTM*"
        assert encoded[offset:].split(b"~")[0].endswith(b"20260230")


def test_4010_is_read_as_5010_is() -> None:
    old = edi.read(synthetic.generate(synthetic.Plan(claims=20, version="4010"), 3).data)
    new = edi.read(synthetic.generate(synthetic.Plan(claims=20, version="5010"), 3).data)
    assert old.problems.is_empty()
    assert old.payments["version"].to_list() == ["004010X091A1"]
    assert old.claims.equals(new.claims)


def test_many_files_keep_their_own_rows() -> None:
    rendered = [
        synthetic.generate(synthetic.Plan(claims=2, delimiters="*:~" if seed % 2 else "|>\n"), seed)
        for seed in range(7)
    ]
    together = edi.read_many((f"{seed}.835", file.data) for seed, file in enumerate(rendered))
    assert together.problems.is_empty()
    assert together.files["name"].to_list() == [f"{seed}.835" for seed in range(7)]
    for seed, file in enumerate(rendered):
        alone = edi.read(file.data)
        claims = together.claims.filter(together.claims["file"] == seed)
        assert claims["control_number"].to_list() == alone.claims["control_number"].to_list()
        assert claims["segment"].to_list() == alone.claims["segment"].to_list()
        assert edi.write(together, seed) == file.data


def test_an_invalid_file_does_not_affect_the_others() -> None:
    good = synthetic.generate(synthetic.Plan(claims=2), 1)
    truncated = synthetic.corrupt("TRUNCATED: within a segment", synthetic.generate(synthetic.Plan(claims=2), 2)).data
    together = edi.read_many([("a", good.data), ("b", b"nothing"), ("c", truncated), ("d", b""), ("e", good.data)])
    assert together.files["refused"].to_list() == [False, True, False, True, False]
    assert set(together.problems["file"]) == {1, 2, 3}
    assert together.payments.filter(together.payments["file"].is_in([0, 4]))["sound"].to_list() == [True, True]


def test_a_truncated_file_does_not_continue_in_the_next_one() -> None:
    """A claim before the first transaction of the next file makes that file unsound, as it does when read alone."""
    good = synthetic.generate(synthetic.Plan(claims=2), 3)
    segments = [list(segment) for segment in good.segments]
    index = {
        kind: next(number for number, segment in enumerate(segments) if segment[0] == kind)
        for kind in ("ST", "CLP", "SE")
    }
    truncated = good.replace_segments(segments[: index["SE"]]).data
    stray = good.replace_segments([*segments[: index["ST"]], segments[index["CLP"]], *segments[index["ST"] :]]).data
    both = edi.read_many([("truncated", truncated), ("stray", stray)])
    assert both.payments.select("claim_count", "balanced", "sound").rows() == [(2, True, False)] * 2
    assert both.problems.select("file", "transaction", "segment", "code").rows() == [
        (0, 0, index["SE"], "TRUNCATED"),
        (1, None, 3, "MISPLACED_SEGMENT"),
    ]


@pytest.mark.parametrize("delimiters", ["*:~", "|>\n"])
def test_payments_before_the_first_interchange_are_read_and_unsound(delimiters: str) -> None:
    first, second = synthetic.generate(PLAN, 3), synthetic.generate(replace(PLAN, delimiters=delimiters), 4)
    envelope = ("ISA", "GS", "GE", "IEA")
    bare = first.replace_segments([list(segment) for segment in first.segments if segment[0] not in envelope]).data
    for read in (edi.read(bare + second.data), *edi.stream(bare + second.data)):
        assert read.payments["sound"].to_list() == [False] * 4 + [True] * 4
        assert read.payments["balanced_throughout"].all()
        assert read.problems["code"][0] == "NO_INTERCHANGE"


def test_an_interchange_with_a_damaged_header_is_not_skipped() -> None:
    damaged = synthetic.generate(PLAN, 3).data.replace(b"*ZZ*", b"ZZ*", 1)
    read = edi.read(damaged + synthetic.generate(PLAN, 4).data)
    assert read.payments["sound"].to_list() == [False] * 8
    assert set(read.problems["code"]) >= {"NO_INTERCHANGE", "MISPLACED_SEGMENT"}


def test_a_line_break_that_is_a_delimiter_is_not_a_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    data = synthetic.RenderedFile(synthetic.generate(PLAN, 3).segments, "*\n~", line_breaks=True).data
    expected = edi.read(data)
    monkeypatch.setattr(tokens, "BATCH_BYTES", 100)
    monkeypatch.setattr(tokens, "PROCESSORS", 1_000)
    assert edi.read(data) == expected
