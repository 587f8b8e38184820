"""Ways of breaking what a remittance is made of: its envelope, its segments, its elements."""

from edi.synthetic.registry import Segments, Told, Ways, drop, first, recount
from edi.synthetic.renderer import COMPONENT

way = Ways()

ENDS = {"SE": "ST", "GE": "GS", "IEA": "ISA"}


def _ends() -> None:
    """The ways that all three ends of the envelope share."""
    for end in ENDS:

        @way(f"COUNT_DIFFERS in {end}")
        def count(segments: Segments, end: str = end) -> Told:
            at = first(segments, end)
            segments[at][1] = str(int(segments[at][1]) + 1)
            return [("COUNT_DIFFERS", at + 1, f"{end}01")], ()

        @way(f"CONTROL_NUMBER_DIFFERS in {end}")
        def control(segments: Segments, end: str = end) -> Told:
            at = first(segments, end)
            segments[at][2] += "9"
            return [("CONTROL_NUMBER_DIFFERS", at + 1, f"{end}02")], ()

        @way(f"no count in {end}")
        def no_count(segments: Segments, end: str = end) -> Told:
            at = first(segments, end)
            segments[at][1] = "many"
            return [("BAD_NUMBER", at + 1, f"{end}01")], ()

    for end in ("SE", "GE"):

        @way(f"MISSING_END: no {end}")
        def missing(segments: Segments, end: str = end) -> Told:
            at = first(segments, end)
            del segments[at]
            return [("MISSING_END", at + 1, None)], ()


_ends()


@way("TRUNCATED: no IEA")
def _no_iea(segments: Segments) -> Told:
    del segments[first(segments, "IEA") :]
    return [("TRUNCATED", len(segments), None)], ()


@way("TRUNCATED: after a claim")
def _after_claim(segments: Segments) -> Told:
    del segments[first(segments, "SVC") :]
    also = ("CLAIM_UNBALANCED", "PAYMENT_UNBALANCED", "INTEREST_DIFFERS", "TOTALS_DIFFER")
    return [("TRUNCATED", len(segments), None)], also


@way("CONTROL_NUMBER_REPEATED")
def _control_repeated(segments: Segments) -> Told:
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
def _trace_repeated(segments: Segments) -> Told:
    must, also = _control_repeated(segments)
    again = must[0][1] or 0
    segments[again - 1][2] = "7777"
    end = first(segments[again:], "SE") + again
    segments[end][2] = "7777"
    payment = first(segments[again:], "BPR") + again
    segments[payment][-1] = "20260401"
    return [("TRACE_REPEATED", must[1][1], "TRN02")], also


@way("UNKNOWN_SEGMENT")
def _unknown(segments: Segments) -> Told:
    at = first(segments, "CLP") + 1
    segments.insert(at, ["ZZZ", "1", "2"])
    recount(segments)
    return [("UNKNOWN_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: an adjustment before the claims")
def _adjustment_first(segments: Segments) -> Told:
    at = first(segments, "LX")
    segments.insert(at, ["CAS", "CO", "45", "1"])
    recount(segments)
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: a payer within a claim")
def _payer_late(segments: Segments) -> Told:
    at = first(segments, "CLP") + 1
    segments.insert(at, ["N1", "PR", "ANOTHER PLAN"])
    recount(segments)
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: between transactions")
def _between(segments: Segments) -> Told:
    at = first(segments, "GE")
    segments.insert(at, ["REF", "EV", "1"])
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: a second BPR")
def _second_bpr(segments: Segments) -> Told:
    at = first(segments, "TRN")
    segments.insert(at, list(segments[first(segments, "BPR")]))
    recount(segments)
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISPLACED_SEGMENT: an end of nothing")
def _end_of_nothing(segments: Segments) -> Told:
    at = first(segments, "SE") + 1
    segments.insert(at, list(segments[at - 1]))
    return [("MISPLACED_SEGMENT", at + 1, None)], ()


@way("MISSING_SEGMENT: BPR")
def _no_bpr(segments: Segments) -> Told:
    drop(segments, "BPR")
    return [("MISSING_SEGMENT", first(segments, "ST") + 1, None)], ()


@way("MISSING_SEGMENT: TRN")
def _no_trn(segments: Segments) -> Told:
    drop(segments, "TRN")
    return [("MISSING_SEGMENT", first(segments, "ST") + 1, None)], ()


@way("MISSING_SEGMENT: the payee")
def _no_payee(segments: Segments) -> Told:
    drop(segments, "N1", "PE")
    return [("MISSING_SEGMENT", first(segments, "ST") + 1, None)], ()


@way("MISSING_PATIENT")
def _no_patient(segments: Segments) -> Told:
    drop(segments, "NM1", "QC")
    return [("MISSING_PATIENT", first(segments, "CLP") + 1, None)], ()


@way("NOT_835")
def _another(segments: Segments) -> Told:
    at = first(segments, "ST")
    segments[at][1] = "837"
    return [("NOT_835", at + 1, "ST01")], ()


@way("NO_INTERCHANGE")
def _bare(segments: Segments) -> Told:
    begin, end = first(segments, "ST"), first(segments, "SE")
    segments[:] = segments[begin : end + 1]
    return [("NO_INTERCHANGE", 1, None)], ()


@way("NO_GROUP")
def _no_group(segments: Segments) -> Told:
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
        ) -> Told:
            at = first(segments, kind)
            segments[at][element] = text
            return [(code, at + 1, f"{kind}{element:02}")], balances


_values()


@way("MISSING_ELEMENT: the procedure")
def _no_procedure(segments: Segments) -> Told:
    at = first(segments, "SVC")
    segments[at][1] = segments[at][1].split(COMPONENT)[0]
    return [("MISSING_ELEMENT", at + 1, "SVC01-2")], ()


@way("EXTRA_ELEMENT")
def _extra(segments: Segments) -> Told:
    at = first(segments, "DTM")
    segments[at] += ["1", "2"]
    return [("EXTRA_ELEMENT", at + 1, None)], ()
