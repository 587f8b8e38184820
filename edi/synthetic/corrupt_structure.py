"""Corruptions of the structure of a remittance: its envelope, its segments, its elements."""

from edi.synthetic.registry import Expectation, Registry, Segments, find_first, insert_segment, remove_first
from edi.synthetic.renderer import COMPONENT

corruptions = Registry()


def _register_end_corruptions() -> None:
    """Register the corruptions that the three ends of the envelope share."""
    for kind in ("SE", "GE", "IEA"):

        @corruptions.register(f"COUNT_DIFFERS in {kind}")
        def change_count(segments: Segments, kind: str = kind) -> Expectation:
            index = find_first(segments, kind)
            segments[index][1] = str(int(segments[index][1]) + 1)
            return [("COUNT_DIFFERS", index + 1, f"{kind}01")], ()

        @corruptions.register(f"CONTROL_NUMBER_DIFFERS in {kind}")
        def change_control_number(segments: Segments, kind: str = kind) -> Expectation:
            index = find_first(segments, kind)
            segments[index][2] += "9"
            return [("CONTROL_NUMBER_DIFFERS", index + 1, f"{kind}02")], ()

        @corruptions.register(f"BAD_NUMBER in {kind}")
        def spoil_count(segments: Segments, kind: str = kind) -> Expectation:
            index = find_first(segments, kind)
            segments[index][1] = "many"
            return [("BAD_NUMBER", index + 1, f"{kind}01")], ()

    for kind in ("SE", "GE"):

        @corruptions.register(f"MISSING_END: no {kind}")
        def remove_end(segments: Segments, kind: str = kind) -> Expectation:
            index = find_first(segments, kind)
            del segments[index]
            return [("MISSING_END", index + 1, None)], ()


_register_end_corruptions()


@corruptions.register("TRUNCATED: no IEA")
def _truncate_before_iea(segments: Segments) -> Expectation:
    del segments[find_first(segments, "IEA") :]
    return [("TRUNCATED", len(segments), None)], ()


@corruptions.register("TRUNCATED: within a claim")
def _truncate_before_line(segments: Segments) -> Expectation:
    del segments[find_first(segments, "SVC") :]
    allowed = ("CLAIM_UNBALANCED", "PAYMENT_UNBALANCED", "INTEREST_DIFFERS", "TOTALS_DIFFER")
    return [("TRUNCATED", len(segments), None)], allowed


@corruptions.register("CONTROL_NUMBER_REPEATED")
def _repeat_transaction(segments: Segments) -> Expectation:
    start, end = find_first(segments, "ST"), find_first(segments, "SE")
    segments[end + 1 : end + 1] = [list(segment) for segment in segments[start : end + 1]]
    group = find_first(segments, "GE")
    segments[group][1] = str(int(segments[group][1]) + 1)
    size = end + 1 - start
    trace = find_first(segments, "TRN") + size + 1
    expected = [("CONTROL_NUMBER_REPEATED", start + size + 1, "ST02"), ("PAYMENT_REPEATED", trace, "TRN02")]
    return expected, ("INTEREST_DIFFERS",)


@corruptions.register("TRACE_REPEATED")
def _repeat_trace(segments: Segments) -> Expectation:
    expected, allowed = _repeat_transaction(segments)
    second = expected[0][1] or 0
    segments[second - 1][2] = "7777"
    end = find_first(segments[second:], "SE") + second
    segments[end][2] = "7777"
    payment = find_first(segments[second:], "BPR") + second
    segments[payment][-1] = "20260401"
    return [("TRACE_REPEATED", expected[1][1], "TRN02")], allowed


@corruptions.register("UNKNOWN_SEGMENT")
def _insert_unknown_segment(segments: Segments) -> Expectation:
    index = find_first(segments, "CLP") + 1
    insert_segment(segments, index, ["ZZZ", "1", "2"])
    return [("UNKNOWN_SEGMENT", index + 1, None)], ()


@corruptions.register("MISPLACED_SEGMENT: an adjustment before the claims")
def _insert_early_adjustment(segments: Segments) -> Expectation:
    index = find_first(segments, "LX")
    insert_segment(segments, index, ["CAS", "CO", "45", "1"])
    return [("MISPLACED_SEGMENT", index + 1, None)], ()


@corruptions.register("MISPLACED_SEGMENT: a payer within a claim")
def _insert_late_payer(segments: Segments) -> Expectation:
    index = find_first(segments, "CLP") + 1
    insert_segment(segments, index, ["N1", "PR", "ANOTHER PLAN"])
    return [("MISPLACED_SEGMENT", index + 1, None)], ()


@corruptions.register("MISPLACED_SEGMENT: between transactions")
def _insert_outside_transaction(segments: Segments) -> Expectation:
    index = find_first(segments, "GE")
    segments.insert(index, ["REF", "EV", "1"])
    return [("MISPLACED_SEGMENT", index + 1, None)], ()


@corruptions.register("MISPLACED_SEGMENT: a second BPR")
def _repeat_bpr(segments: Segments) -> Expectation:
    index = find_first(segments, "TRN")
    insert_segment(segments, index, list(segments[find_first(segments, "BPR")]))
    return [("MISPLACED_SEGMENT", index + 1, None)], ()


@corruptions.register("MISPLACED_SEGMENT: a second SE")
def _repeat_se(segments: Segments) -> Expectation:
    index = find_first(segments, "SE") + 1
    segments.insert(index, list(segments[index - 1]))
    return [("MISPLACED_SEGMENT", index + 1, None)], ()


@corruptions.register("MISSING_SEGMENT: BPR")
def _remove_bpr(segments: Segments) -> Expectation:
    remove_first(segments, "BPR")
    return [("MISSING_SEGMENT", find_first(segments, "ST") + 1, None)], ()


@corruptions.register("MISSING_SEGMENT: TRN")
def _remove_trn(segments: Segments) -> Expectation:
    remove_first(segments, "TRN")
    return [("MISSING_SEGMENT", find_first(segments, "ST") + 1, None)], ()


@corruptions.register("MISSING_SEGMENT: the payee")
def _remove_payee(segments: Segments) -> Expectation:
    remove_first(segments, "N1", "PE")
    return [("MISSING_SEGMENT", find_first(segments, "ST") + 1, None)], ()


@corruptions.register("MISSING_PATIENT")
def _remove_patient(segments: Segments) -> Expectation:
    remove_first(segments, "NM1", "QC")
    return [("MISSING_PATIENT", find_first(segments, "CLP") + 1, None)], ()


@corruptions.register("NOT_835")
def _change_transaction_set(segments: Segments) -> Expectation:
    index = find_first(segments, "ST")
    segments[index][1] = "837"
    return [("NOT_835", index + 1, "ST01")], ()


@corruptions.register("NO_INTERCHANGE")
def _remove_envelope(segments: Segments) -> Expectation:
    start, end = find_first(segments, "ST"), find_first(segments, "SE")
    segments[:] = segments[start : end + 1]
    return [("NO_INTERCHANGE", 1, None)], ()


@corruptions.register("NO_GROUP")
def _remove_group(segments: Segments) -> Expectation:
    index = find_first(segments, "GS")
    del segments[index]
    end = find_first(segments, "GE")
    del segments[end]
    segments[find_first(segments, "IEA")][1] = "0"
    return [("NO_GROUP", index + 1, None)], ()


def _register_value_corruptions() -> None:
    """Register elements that cannot be parsed or are missing."""
    cases = {
        "BAD_AMOUNT: a third decimal": ("CLP", 3, "12.345", "BAD_AMOUNT"),
        "BAD_AMOUNT: words": ("SVC", 2, "twelve", "BAD_AMOUNT"),
        "BAD_AMOUNT: an exponent": ("SVC", 3, "1E2", "BAD_AMOUNT"),
        "BAD_AMOUNT: too large": ("CLP", 4, "99999999999", "BAD_AMOUNT"),
        "BAD_AMOUNT: an adjustment": ("CAS", 3, "1,5", "BAD_AMOUNT"),
        "BAD_DATE: no such day": ("DTM", 2, "20260230", "BAD_DATE"),
        "BAD_DATE: another format": ("BPR", 16, "2026-3-1", "BAD_DATE"),
        "BAD_NUMBER": ("SVC", 5, "one", "BAD_NUMBER"),
        "MISSING_ELEMENT: the claim number": ("CLP", 1, "", "MISSING_ELEMENT"),
        "MISSING_ELEMENT: the amount paid": ("CLP", 4, "", "MISSING_ELEMENT"),
        "MISSING_ELEMENT: an adjustment reason": ("CAS", 2, "", "MISSING_ELEMENT"),
        "MISSING_ELEMENT: in the group": ("GS", 2, "", "MISSING_ELEMENT"),
        "UNKNOWN_CODE: an adjustment group": ("CAS", 1, "XX", "UNKNOWN_CODE"),
        "UNKNOWN_CODE: a status": ("CLP", 2, "99", "UNKNOWN_CODE"),
    }
    allowed = ("LINE_UNBALANCED", "CLAIM_UNBALANCED", "PAYMENT_UNBALANCED", "LINES_DIFFER", "TOTALS_DIFFER")
    for name, (kind, element, text, code) in cases.items():

        @corruptions.register(name)
        def replace_element(
            segments: Segments, kind: str = kind, element: int = element, text: str = text, code: str = code
        ) -> Expectation:
            index = find_first(segments, kind)
            segments[index][element] = text
            return [(code, index + 1, f"{kind}{element:02}")], allowed


_register_value_corruptions()


@corruptions.register("MISSING_ELEMENT: the procedure")
def _remove_procedure(segments: Segments) -> Expectation:
    index = find_first(segments, "SVC")
    segments[index][1] = segments[index][1].split(COMPONENT)[0]
    return [("MISSING_ELEMENT", index + 1, "SVC01-2")], ()


@corruptions.register("EXTRA_ELEMENT")
def _add_elements(segments: Segments) -> Expectation:
    index = find_first(segments, "DTM")
    segments[index] += ["1", "2"]
    return [("EXTRA_ELEMENT", index + 1, None)], ()
