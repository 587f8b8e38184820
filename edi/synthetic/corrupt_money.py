"""Corruptions of the amounts of a remittance, and repetitions."""

from decimal import Decimal

from edi.synthetic.registry import (
    Expectation,
    Registry,
    Segments,
    find_first,
    insert_segment,
    remove_first,
    update_counts,
)
from edi.synthetic.renderer import COMPONENT, format_money

corruptions = Registry()


def _change_amount(segments: Segments, kind: str, element: int, cents: int) -> int:
    """Add cents to an amount of the first such segment, and return the segment's number."""
    index = find_first(segments, kind)
    segment = segments[index]
    segment[element] = format_money(int(Decimal(segment[element]) * 100) + cents)
    return index + 1


def _find_claim_end(segments: Segments, index: int) -> int:
    """Return the index behind the last segment of the claim that begins at this index."""
    return next(end for end in range(index + 1, len(segments)) if segments[end][0] in ("CLP", "PLB", "SE"))


def _get_claim_number(segments: Segments, index: int) -> int:
    """Return the segment number of the CLP above this index."""
    return max(number for number in range(index) if segments[number][0] == "CLP") + 1


@corruptions.register("LINE_UNBALANCED")
def _change_line_paid(segments: Segments) -> Expectation:
    number = _change_amount(segments, "SVC", 3, -1)
    return [("LINE_UNBALANCED", number, "SVC03")], ("LINES_DIFFER",)


@corruptions.register("CLAIM_UNBALANCED")
def _change_claim_paid(segments: Segments) -> Expectation:
    number = _change_amount(segments, "CLP", 4, 100)
    return [("CLAIM_UNBALANCED", number, "CLP04")], ("LINES_DIFFER", "PAYMENT_UNBALANCED")


@corruptions.register("PAYMENT_UNBALANCED")
def _change_payment_amount(segments: Segments) -> Expectation:
    return [("PAYMENT_UNBALANCED", _change_amount(segments, "BPR", 2, 1), "BPR02")], ()


@corruptions.register("a changed adjustment")
def _change_adjustment(segments: Segments) -> Expectation:
    number = _change_amount(segments, "CAS", 3, 10)
    return [("CLAIM_UNBALANCED", _get_claim_number(segments, number), "CLP04")], ("LINE_UNBALANCED",)


@corruptions.register("a dropped adjustment")
def _drop_adjustment(segments: Segments) -> Expectation:
    index = remove_first(segments, "CAS")
    return [("CLAIM_UNBALANCED", _get_claim_number(segments, index), "CLP04")], ("LINE_UNBALANCED",)


@corruptions.register("LINES_DIFFER")
def _add_line(segments: Segments) -> Expectation:
    """Add a line that balances on its own but is not part of the claim's amounts."""
    index = find_first(segments, "CLP")
    insert_segment(segments, _find_claim_end(segments, index), ["SVC", f"HC{COMPONENT}90832", "90", "90"])
    return [("LINES_DIFFER", index + 1, "CLP04")], ()


@corruptions.register("INTEREST_DIFFERS")
def _add_interest(segments: Segments) -> Expectation:
    insert_segment(segments, find_first(segments, "CLP") + 1, ["AMT", "I", "7777.77"])
    return [("INTEREST_DIFFERS", find_first(segments, "ST") + 1, None)], ()


@corruptions.register("TOTALS_DIFFER")
def _change_total_count(segments: Segments) -> Expectation:
    index = find_first(segments, "TS3")
    segments[index][4] = "999"
    return [("TOTALS_DIFFER", index + 1, "TS304")], ()


@corruptions.register("CLAIM_REPEATED")
def _repeat_claim(segments: Segments) -> Expectation:
    index = find_first(segments, "CLP")
    end = _find_claim_end(segments, index)
    segments[end:end] = [list(segment) for segment in segments[index:end]]
    update_counts(segments)
    return [("CLAIM_REPEATED", end + 1, "CLP01")], ("PAYMENT_UNBALANCED", "TOTALS_DIFFER", "INTEREST_DIFFERS")
