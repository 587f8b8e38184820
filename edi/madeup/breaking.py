"""Every way of breaking a remittance that has a name, and what a reader has to say about each.

A way takes a good file (one interchange with at least one claim with lines) and gives the broken one with the codes that
must be found, each at its segment and element. Besides these only `also` may be found: what follows from the damage.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edi.madeup.wording import COMPONENT, Segment, Written, money

Place = tuple[str, int | None, str | None]  # code, segment, element


@dataclass(frozen=True)
class Broken:
    name: str
    data: bytes
    must: list[Place]
    also: tuple[str, ...] = ()


Segments = list[Segment]
Way = Callable[[Segments], tuple[list[Place], tuple[str, ...]]]
BREAKS: dict[str, Way] = {}


def way(name: str) -> Callable[[Way], Way]:
    def keep(function: Way) -> Way:
        BREAKS[name] = function
        return function

    return keep


def broken(name: str, good: Written) -> Broken:
    """This file, broken in this way."""
    segments = [list(segment) for segment in good.segments]
    if name in WHOLE:
        data, must, also = WHOLE[name](good)
        return Broken(name, data, must, also)
    must, also = BREAKS[name](segments)
    return Broken(name, good.with_segments(segments).data, must, also)


def first(segments: Segments, *start: str) -> int:
    return next(at for at, segment in enumerate(segments) if segment[: len(start)] == list(start))


def recount(segments: Segments) -> None:
    """SE counts again after segments came or went, so that only the damage meant is found."""
    begin = 0
    for at, segment in enumerate(segments):
        if segment[0] == "ST":
            begin = at
        elif segment[0] == "SE":
            segment[1] = str(at - begin + 1)


def _drop(segments: Segments, *start: str) -> int:
    at = first(segments, *start)
    del segments[at]
    recount(segments)
    return at


def _change(segments: Segments, start: tuple[str, ...], element: int, cents: int) -> int:
    """Another amount; the number of the segment."""
    at = first(segments, *start)
    segment = segments[at]
    before = round(float(segment[element]) * 100)
    segment[element] = money(before + cents)
    return at + 1


ENDS = {"SE": "ST", "GE": "GS", "IEA": "ISA"}


def _ends() -> None:
    """The ways that all three ends of the envelope share."""
    for end in ENDS:

        @way(f"COUNT_DIFFERS in {end}")
        def count(segments: Segments, end: str = end) -> tuple[list[Place], tuple[str, ...]]:
            at = first(segments, end)
            segments[at][1] = str(int(segments[at][1]) + 1)
            return [("COUNT_DIFFERS", at + 1, f"{end}01")], ()

        @way(f"CONTROL_NUMBER_DIFFERS in {end}")
        def control(segments: Segments, end: str = end) -> tuple[list[Place], tuple[str, ...]]:
            at = first(segments, end)
            segments[at][2] += "9"
            return [("CONTROL_NUMBER_DIFFERS", at + 1, f"{end}02")], ()

        @way(f"no count in {end}")
        def no_count(segments: Segments, end: str = end) -> tuple[list[Place], tuple[str, ...]]:
            at = first(segments, end)
            segments[at][1] = "many"
            return [("BAD_NUMBER", at + 1, f"{end}01")], ()

    for end in ("SE", "GE"):

        @way(f"MISSING_END: no {end}")
        def missing(segments: Segments, end: str = end) -> tuple[list[Place], tuple[str, ...]]:
            at = first(segments, end)
            del segments[at]
            return [("MISSING_END", at + 1, None)], ()


_ends()


@way("TRUNCATED: no IEA")
def _no_iea(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    del segments[first(segments, "IEA") :]
    return [("TRUNCATED", len(segments), None)], ()


@way("TRUNCATED: after a claim")
def _after_claim(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    del segments[first(segments, "SVC") :]
    also = ("CLAIM_UNBALANCED", "PAYMENT_UNBALANCED", "INTEREST_DIFFERS", "TOTALS_DIFFER")
    return [("TRUNCATED", len(segments), None)], also


@way("CONTROL_NUMBER_REPEATED")
def _control_repeated(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    begin, end = first(segments, "ST"), first(segments, "SE")
    segments[end + 1 : end + 1] = [list(one) for one in segments[begin : end + 1]]
    group = first(segments, "GE")
    segments[group][1] = str(int(segments[group][1]) + 1)
    again = end + 1 - begin
    trace = first(segments, "TRN") + again + 1
    return [("CONTROL_NUMBER_REPEATED", begin + again + 1, "ST02"), ("PAYMENT_REPEATED", trace, "TRN02")], (
        "INTEREST_DIFFERS",
    )


@way("TRACE_REPEATED")
def _trace_repeated(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    must, also = _control_repeated(segments)
    again = must[0][1] or 0
    segments[again - 1][2] = "7777"
    end = first(segments[again:], "SE") + again
    segments[end][2] = "7777"
    payment = first(segments[again:], "BPR") + again
    segments[payment][-1] = "20260401"
    return [("TRACE_REPEATED", must[1][1], "TRN02")], also


@way("UNKNOWN_SEGMENT")
def _unknown(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "CLP") + 1
    segments.insert(at, ["ZZZ", "1", "2"])
    recount(segments)
    return [("UNKNOWN_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: an adjustment before the claims")
def _adjustment_first(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "LX")
    segments.insert(at, ["CAS", "CO", "45", "1"])
    recount(segments)
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: a payer within a claim")
def _payer_late(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "CLP") + 1
    segments.insert(at, ["N1", "PR", "ANOTHER PLAN"])
    recount(segments)
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: between transactions")
def _between(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "GE")
    segments.insert(at, ["REF", "EV", "1"])
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: a second BPR")
def _second_bpr(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "TRN")
    segments.insert(at, list(segments[first(segments, "BPR")]))
    recount(segments)
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: an end of nothing")
def _end_of_nothing(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "SE") + 1
    segments.insert(at, list(segments[at - 1]))
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISSING_SEGMENT: BPR")
def _no_bpr(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    _drop(segments, "BPR")
    return [("MISSING_SEGMENT", first(segments, "ST") + 1, None)], ()


@way("MISSING_SEGMENT: TRN")
def _no_trn(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    _drop(segments, "TRN")
    return [("MISSING_SEGMENT", first(segments, "ST") + 1, None)], ()


@way("MISSING_SEGMENT: the payee")
def _no_payee(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    _drop(segments, "N1", "PE")
    return [("MISSING_SEGMENT", first(segments, "ST") + 1, None)], ()


@way("MISSING_PATIENT")
def _no_patient(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    _drop(segments, "NM1", "QC")
    return [("MISSING_PATIENT", first(segments, "CLP") + 1, None)], ()


@way("NOT_835")
def _another(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "ST")
    segments[at][1] = "837"
    return [("NOT_835", at + 1, "ST01")], ()


@way("NO_INTERCHANGE")
def _bare(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    begin, end = first(segments, "ST"), first(segments, "SE")
    segments[:] = segments[begin : end + 1]
    return [("NO_INTERCHANGE", 1, None)], ()


@way("NO_GROUP")
def _no_group(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "GS")
    del segments[at]
    end = first(segments, "GE")
    del segments[end]
    segments[first(segments, "IEA")][1] = "0"
    return [("NO_GROUP", at + 1, None)], ()


def _values() -> None:
    """Elements that cannot be read, or are not there."""
    cases = {
        "BAD_AMOUNT: a third decimal": ("CLP", 3, "12.345", "BAD_AMOUNT"),
        "BAD_AMOUNT: words": ("SVC", 2, "twelve", "BAD_AMOUNT"),
        "BAD_AMOUNT: an exponent": ("SVC", 3, "1E2", "BAD_AMOUNT"),
        "BAD_AMOUNT: too large": ("CLP", 4, "99999999999", "BAD_AMOUNT"),
        "BAD_AMOUNT: of an adjustment": ("CAS", 3, "1,5", "BAD_AMOUNT"),
        "BAD_DATE: no such day": ("DTM", 2, "20260230", "BAD_DATE"),
        "BAD_DATE: another form": ("BPR", 16, "2026-3-1", "BAD_DATE"),
        "BAD_NUMBER": ("SVC", 5, "one", "BAD_NUMBER"),
        "MISSING_ELEMENT: the claim's number": ("CLP", 1, "", "MISSING_ELEMENT"),
        "MISSING_ELEMENT: what a claim was paid": ("CLP", 4, "", "MISSING_ELEMENT"),
        "MISSING_ELEMENT: a reason": ("CAS", 2, "", "MISSING_ELEMENT"),
        "MISSING_ELEMENT: of the group": ("GS", 2, "", "MISSING_ELEMENT"),
        "UNKNOWN_CODE: a group of adjustments": ("CAS", 1, "XX", "UNKNOWN_CODE"),
        "UNKNOWN_CODE: a status": ("CLP", 2, "99", "UNKNOWN_CODE"),
    }
    balances = ("LINE_UNBALANCED", "CLAIM_UNBALANCED", "PAYMENT_UNBALANCED", "LINES_DIFFER", "TOTALS_DIFFER")
    for name, (kind, element, text, code) in cases.items():

        @way(name)
        def value(
            segments: Segments, kind: str = kind, element: int = element, text: str = text, code: str = code
        ) -> tuple[list[Place], tuple[str, ...]]:
            at = first(segments, kind)
            segments[at][element] = text
            return [(code, at + 1, f"{kind}{element:02}")], balances


_values()


@way("MISSING_ELEMENT: the procedure")
def _no_procedure(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "SVC")
    segments[at][1] = segments[at][1].split(COMPONENT)[0]
    return [("MISSING_ELEMENT", at + 1, "SVC01-2")], ()


@way("EXTRA_ELEMENT")
def _extra(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "DTM")
    segments[at] += ["1", "2"]
    return [("EXTRA_ELEMENT", at + 1, None)], ()


@way("LINE_UNBALANCED")
def _line(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = _change(segments, ("SVC",), 3, -1)
    return [("LINE_UNBALANCED", at, "SVC03")], ("LINES_DIFFER",)


@way("CLAIM_UNBALANCED")
def _claim(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = _change(segments, ("CLP",), 4, 100)
    return [("CLAIM_UNBALANCED", at, "CLP04")], ("LINES_DIFFER", "PAYMENT_UNBALANCED")


@way("PAYMENT_UNBALANCED")
def _payment(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    return [("PAYMENT_UNBALANCED", _change(segments, ("BPR",), 2, 1), "BPR02")], ()


@way("a changed adjustment")
def _adjustment(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = _change(segments, ("CAS",), 3, 10)
    claim = max(n for n in range(at) if segments[n][0] == "CLP") + 1
    return [("CLAIM_UNBALANCED", claim, "CLP04")], ("LINE_UNBALANCED",)


@way("a dropped adjustment")
def _dropped(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = _drop(segments, "CAS")
    claim = max(n for n in range(at) if segments[n][0] == "CLP") + 1
    return [("CLAIM_UNBALANCED", claim, "CLP04")], ("LINE_UNBALANCED",)


@way("LINES_DIFFER")
def _lines_differ(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    """A line that balances in itself, and that the claim does not know."""
    at = first(segments, "CLP")
    end = next(n for n in range(at + 1, len(segments)) if segments[n][0] in ("CLP", "PLB", "SE"))
    segments[end:end] = [["SVC", f"HC{COMPONENT}90832", "90", "90"]]
    recount(segments)
    return [("LINES_DIFFER", at + 1, "CLP04")], ()


@way("INTEREST_DIFFERS")
def _interest(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "CLP") + 1
    segments.insert(at, ["AMT", "I", "7777.77"])
    recount(segments)
    return [("INTEREST_DIFFERS", first(segments, "ST") + 1, None)], ()


@way("TOTALS_DIFFER")
def _totals(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "TS3")
    segments[at][4] = "999"
    return [("TOTALS_DIFFER", at + 1, "TS304")], ()


@way("CLAIM_REPEATED")
def _claim_repeated(segments: Segments) -> tuple[list[Place], tuple[str, ...]]:
    at = first(segments, "CLP")
    end = next(n for n in range(at + 1, len(segments)) if segments[n][0] in ("CLP", "PLB", "SE"))
    segments[end:end] = [list(one) for one in segments[at:end]]
    recount(segments)
    return [("CLAIM_REPEATED", end + 1, "CLP01")], ("PAYMENT_UNBALANCED", "TOTALS_DIFFER", "INTEREST_DIFFERS")


Result = tuple[bytes, list[Place], tuple[str, ...]]
STRUCTURE = ("TRUNCATED", "UNTERMINATED", "COUNT_DIFFERS", "CONTROL_NUMBER_DIFFERS", "MISSING_ELEMENT")


def _cut(good: Written) -> Result:
    """Off in the middle of the last third."""
    data = good.data
    at = len(data) * 2 // 3
    cut = data[: at - 1] if data[at - 1 : at] == good.delimiters[2].encode() else data[:at]
    count = sum(1 for one in cut.split(good.delimiters[2].encode()) if one.strip())
    balances = ("LINE_UNBALANCED", "CLAIM_UNBALANCED", "PAYMENT_UNBALANCED", "LINES_DIFFER", "INTEREST_DIFFERS")
    values = ("TOTALS_DIFFER", "BAD_DATE", "BAD_AMOUNT", "MISSING_PATIENT", "UNKNOWN_SEGMENT", "UNKNOWN_CODE")
    return cut, [("TRUNCATED", count, None)], (*STRUCTURE, *balances, *values)


def _no_last_sign(good: Written) -> Result:
    data = good.data.rstrip()
    return data.removesuffix(good.delimiters[2].encode()), [("UNTERMINATED", len(good.segments), None)], ()


WHOLE: dict[str, Callable[[Written], Result]] = {
    "TRUNCATED: in the middle": _cut,
    "UNTERMINATED": _no_last_sign,
    "EMPTY": lambda _: (b" \r\n", [("EMPTY", None, None)], ()),
    "NOT_X12": lambda _: (b"%PDF-1.7 remittance advice", [("NOT_X12", None, None)], ()),
    "SEGMENT_TOO_LONG": lambda good: (good.data + b"NTE*" + b"A" * 70_000, [("SEGMENT_TOO_LONG", None, None)], ()),
}
