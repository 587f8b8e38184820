"""Every way of breaking a remittance that has a name, and what a reader has to say about each.

A way takes a good file (one interchange with at least one claim with lines) and gives the broken one with the codes
that must be found, each at its segment and element. Besides these only `also` may be found: what follows from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edi.synthetic import corrupt_money, corrupt_structure
from edi.synthetic.registry import Place, Ways
from edi.synthetic.renderer import Written


@dataclass(frozen=True)
class Broken:
    data: bytes
    must: list[Place]
    also: tuple[str, ...] = ()


def broken(name: str, good: Written) -> Broken:
    """This file, broken in this way."""
    segments = [list(segment) for segment in good.segments]
    if name in WHOLE:
        return WHOLE[name](good)
    must, also = _WAYS[name](segments)
    return Broken(good.with_segments(segments).data, must, also)


def _cut(good: Written) -> Broken:
    """Off in the middle of the last third."""
    data = good.data
    at = len(data) * 2 // 3
    cut = data[: at - 1] if data[at - 1 : at] == good.delimiters[2].encode() else data[:at]
    count = sum(1 for one in cut.split(good.delimiters[2].encode()) if one.strip())
    structure = ("TRUNCATED", "UNTERMINATED", "COUNT_DIFFERS", "CONTROL_NUMBER_DIFFERS", "MISSING_ELEMENT")
    balances = ("LINE_UNBALANCED", "CLAIM_UNBALANCED", "PAYMENT_UNBALANCED", "LINES_DIFFER", "INTEREST_DIFFERS")
    values = ("TOTALS_DIFFER", "BAD_DATE", "BAD_AMOUNT", "MISSING_PATIENT", "UNKNOWN_SEGMENT", "UNKNOWN_CODE")
    return Broken(cut, [("TRUNCATED", count, None)], (*structure, *balances, *values))


def _no_last_sign(good: Written) -> Broken:
    data = good.data.rstrip()
    return Broken(data.removesuffix(good.delimiters[2].encode()), [("UNTERMINATED", len(good.segments), None)])


WHOLE: dict[str, Callable[[Written], Broken]] = {
    "TRUNCATED: in the middle": _cut,
    "UNTERMINATED": _no_last_sign,
    "EMPTY": lambda _: Broken(b" \r\n", [("EMPTY", None, None)]),
    "NOT_X12": lambda _: Broken(b"%PDF-1.7 remittance advice", [("NOT_X12", None, None)]),
    "SEGMENT_TOO_LONG": lambda good: Broken(good.data + b"NTE*" + b"A" * 70_000, [("SEGMENT_TOO_LONG", None, None)]),
}

_WAYS = Ways(corrupt_structure.way | corrupt_money.way)
BREAKS = (*_WAYS, *WHOLE)
