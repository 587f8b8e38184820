"""Ways of breaking what a remittance adds up to, and of saying something twice."""

from decimal import Decimal

from edi.synthetic.registry import Segments, Told, Ways, drop, first, recount
from edi.synthetic.renderer import COMPONENT, money

way = Ways()


def _change(segments: Segments, start: tuple[str, ...], element: int, cents: int) -> int:
    """Another amount; the number of the segment."""
    at = first(segments, *start)
    segment = segments[at]
    before = int(Decimal(segment[element]) * 100)
    segment[element] = money(before + cents)
    return at + 1


@way("LINE_UNBALANCED")
def _line(segments: Segments) -> Told:
    at = _change(segments, ("SVC",), 3, -1)
    return [("LINE_UNBALANCED", at, "SVC03")], ("LINES_DIFFER",)


@way("CLAIM_UNBALANCED")
def _claim(segments: Segments) -> Told:
    at = _change(segments, ("CLP",), 4, 100)
    return [("CLAIM_UNBALANCED", at, "CLP04")], ("LINES_DIFFER", "PAYMENT_UNBALANCED")


@way("PAYMENT_UNBALANCED")
def _payment(segments: Segments) -> Told:
    return [("PAYMENT_UNBALANCED", _change(segments, ("BPR",), 2, 1), "BPR02")], ()


@way("a changed adjustment")
def _adjustment(segments: Segments) -> Told:
    at = _change(segments, ("CAS",), 3, 10)
    claim = max(n for n in range(at) if segments[n][0] == "CLP") + 1
    return [("CLAIM_UNBALANCED", claim, "CLP04")], ("LINE_UNBALANCED",)


@way("a dropped adjustment")
def _dropped(segments: Segments) -> Told:
    at = drop(segments, "CAS")
    claim = max(n for n in range(at) if segments[n][0] == "CLP") + 1
    return [("CLAIM_UNBALANCED", claim, "CLP04")], ("LINE_UNBALANCED",)


@way("LINES_DIFFER")
def _lines_differ(segments: Segments) -> Told:
    """A line that balances in itself, and that the claim does not know."""
    at = first(segments, "CLP")
    end = next(n for n in range(at + 1, len(segments)) if segments[n][0] in ("CLP", "PLB", "SE"))
    segments[end:end] = [["SVC", f"HC{COMPONENT}90832", "90", "90"]]
    recount(segments)
    return [("LINES_DIFFER", at + 1, "CLP04")], ()


@way("INTEREST_DIFFERS")
def _interest(segments: Segments) -> Told:
    at = first(segments, "CLP") + 1
    segments.insert(at, ["AMT", "I", "7777.77"])
    recount(segments)
    return [("INTEREST_DIFFERS", first(segments, "ST") + 1, None)], ()


@way("TOTALS_DIFFER")
def _totals(segments: Segments) -> Told:
    at = first(segments, "TS3")
    segments[at][4] = "999"
    return [("TOTALS_DIFFER", at + 1, "TS304")], ()


@way("CLAIM_REPEATED")
def _claim_repeated(segments: Segments) -> Told:
    at = first(segments, "CLP")
    end = next(n for n in range(at + 1, len(segments)) if segments[n][0] in ("CLP", "PLB", "SE"))
    segments[end:end] = [list(one) for one in segments[at:end]]
    recount(segments)
    return [("CLAIM_REPEATED", end + 1, "CLP01")], ("PAYMENT_UNBALANCED", "TOTALS_DIFFER", "INTEREST_DIFFERS")
