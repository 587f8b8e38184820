"""The envelope: interchanges, groups and transactions, their counts, and whether their ends match.

The envelope has few segments, so they are processed one by one, and the state continues from piece to piece of a file.
The content of a transaction is not looked at here.
"""

from typing import Any, NamedTuple

from edi.layout import SEGMENTS
from edi.problems import TRANSACTION_SETS, ProblemRecord

OPENERS = ("ISA", "GS", "ST")  # outermost first
CLOSERS = {"ISA": "IEA", "GS": "GE", "ST": "SE"}
OPENER_OF = {closer: opener for opener, closer in CLOSERS.items()}
COUNTED_UNITS = {"SE": "segments", "GE": "transactions", "IEA": "groups"}
CONTROL_NUMBER_ELEMENTS = {"ISA": 13, "GS": 6, "ST": 2}
LEVELS = {"ISA": "interchange", "GS": "group", "ST": "transaction"}
OTHER_TRANSACTION, NO_TRANSACTION = -1, -2  # instead of a payment's row: a transaction that is not an 835, or none


class EnvelopeSegment(NamedTuple):
    """A segment of the envelope; `index` is its row among all segments that are being read."""

    index: int
    file: int
    segment: int
    kind: str
    elements: list[str]
    delimiters: str

    def get_element(self, number: int) -> str | None:
        return (self.elements[number] or None) if number < len(self.elements) else None


class Envelope:
    """The state of the envelope while its segments are processed in order.

    `interchanges`, `groups` and `payments` collect the rows of their frames. `marks` are pairs of a row number and the
    payment that begins there, or OTHER_TRANSACTION or NO_TRANSACTION. `unsound` has a (level, row number) for each
    interchange, group or transaction with an error.
    """

    def __init__(self) -> None:
        self.interchanges: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.payments: list[dict[str, Any]] = []
        self.marks: list[tuple[int, int]] = []
        self.problems: list[ProblemRecord] = []
        self.unsound: set[tuple[str, int]] = set()
        self._reset()

    def _reset(self) -> None:
        self.open: dict[str, dict[str, Any]] = {}
        self.child_counts = {"ISA": 0, "GS": 0}
        self.used_numbers: dict[str, set[Any]] = {kind: set() for kind in OPENERS}
        self.outside_reported = False

    def begin_next_piece(self) -> None:
        """Continue the same file: rows that are open begin the next frames; the others have been returned."""
        self.unsound = {(LEVELS[kind], 0) for kind in ("ISA", "GS") if self._is_unsound(kind)}
        self.interchanges = [self.open["ISA"]] if "ISA" in self.open else []
        self.groups = [self.open["GS"]] if "GS" in self.open else []
        for row in self.interchanges:
            row["interchange"] = 0
        for row in self.groups:
            row |= {"group": 0, "interchange": 0 if self.interchanges else None}
        self.payments, self.marks, self.problems = [], [], []

    def _is_unsound(self, kind: str) -> bool:
        return (LEVELS[kind], self.open.get(kind, {}).get(LEVELS[kind])) in self.unsound

    def process_segment(self, segment: EnvelopeSegment) -> None:
        if len(segment.elements) > SEGMENTS[segment.kind][-1].element + 1:
            self._report("EXTRA_ELEMENT", segment.file, segment.segment, values={"id": segment.kind})
        if segment.kind in OPENERS:
            self._begin(segment)
        else:
            self._end(segment)

    def finish_file(self, file: int, last_segment: int, index: int) -> None:
        """Close what is open where the file ends, before row `index`; the next file starts with a clean state."""
        missing = [CLOSERS[kind] for kind in reversed(OPENERS) if kind in self.open]
        if missing:
            values = {"missing": f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'}"}
            self._report("TRUNCATED", file, last_segment, None, OPENER_OF[missing[0]], values)
        for kind in list(self.open):
            self._mark_unsound(kind)
            self._leave(kind, index)
        self._reset()

    def _begin(self, segment: EnvelopeSegment) -> None:
        depth = OPENERS.index(segment.kind)
        self._close_from(depth, segment)
        for outer in OPENERS[:depth]:
            if outer not in self.open:
                self._report_missing_outer(outer, segment)
            elif outer == OPENERS[depth - 1]:
                self.child_counts[outer] += 1
        if segment.kind != "ST":
            self.child_counts[segment.kind] = 0
            self.used_numbers[OPENERS[depth + 1]] = set()
        rows, level = (self.interchanges, self.groups, self.payments)[depth], LEVELS[segment.kind]
        row = self.open[segment.kind] = self._build_row(segment)
        row[level] = len(rows)
        if segment.kind == "ST" and segment.get_element(1) not in ("835", None):
            row[level] = None
            transaction_set = TRANSACTION_SETS.get(segment.get_element(1) or "", "of another kind")
            values = {"transaction_set": transaction_set}
            self._report("NOT_835", segment.file, segment.segment, "ST01", "ST", values)
        else:
            rows.append(row)
        if segment.kind == "ST":
            number = row["transaction"]
            self.marks.append((segment.index, OTHER_TRANSACTION if number is None else number))
        self._check_required(segment, segment.kind)
        self._check_repeated(segment, row["control_number"])

    def _build_row(self, segment: EnvelopeSegment) -> dict[str, Any]:
        """Return the row of its frame, as far as it is known before its end."""
        row = self._read_elements(segment) | {"file": segment.file, "segment": segment.segment, "end_segment": None}
        if segment.kind != "ISA":
            row["interchange"] = self.open.get("ISA", {}).get("interchange")
        if segment.kind == "ST":
            group = self.open.get("GS", {})
            row |= {"group": group.get("group"), "version": row["convention"] or group.get("version")}
        return row

    def _report_missing_outer(self, outer: str, segment: EnvelopeSegment) -> None:
        """Report a transaction or group outside its outer level, once per file; all of it is unsound anyway."""
        if not self.outside_reported:
            code = "NO_INTERCHANGE" if outer == "ISA" else "NO_GROUP"
            self._report(code, segment.file, segment.segment)
        self.outside_reported = True

    def _end(self, segment: EnvelopeSegment) -> None:
        opener, file, number = OPENER_OF[segment.kind], segment.file, segment.segment
        self._close_from(OPENERS.index(opener) + 1, segment)
        row = self.open.get(opener)
        if row is None:
            reason = f"there is no {opener} that it could end"
            self._report("MISPLACED_SEGMENT", file, number, None, "GS", {"id": segment.kind, "reason": reason})
            return
        row |= self._read_elements(segment) | {"end_segment": number}
        self._check_required(segment, opener)
        actual = number - row["segment"] + 1 if opener == "ST" else self.child_counts[opener]
        declared, element = segment.get_element(1), f"{segment.kind}01"
        if declared is not None and not _is_count(declared):
            self._report("BAD_NUMBER", file, number, element, opener)
        elif declared is not None and int(declared) != actual:
            values = {"declared": int(declared), "unit": COUNTED_UNITS[segment.kind], "actual": actual}
            self._report("COUNT_DIFFERS", file, number, element, opener, values)
        if segment.get_element(2) is not None and segment.get_element(2) != row["control_number"]:
            element = f"{segment.kind}02"
            self._report("CONTROL_NUMBER_DIFFERS", file, number, element, opener, {"opener": opener})
        self._leave(opener, segment.index + 1)

    def _close_from(self, depth: int, segment: EnvelopeSegment) -> None:
        """Close every level from this depth on; it should have ended before this segment."""
        for kind in reversed(OPENERS[depth:]):
            if kind in self.open:
                values = {"opener": kind, "closer": CLOSERS[kind]}
                self._report("MISSING_END", segment.file, segment.segment, None, kind, values)
                self._leave(kind, segment.index)

    def _leave(self, kind: str, index: int) -> None:
        del self.open[kind]
        if kind == "ST":
            self.marks.append((index, NO_TRANSACTION))

    def _read_elements(self, segment: EnvelopeSegment) -> dict[str, Any]:
        """Return the elements under the names of their columns."""
        values: dict[str, Any] = {
            column.name: segment.get_element(column.element) for column in SEGMENTS[segment.kind] if column.element
        }
        if segment.kind == "ISA":
            values = {name: (value or "").strip(" ") or None for name, value in values.items()}
            values |= {"element_separator": segment.delimiters[0], "component_separator": segment.delimiters[1]}
            values["segment_terminator"] = segment.delimiters[2]
        for name in ("segment_count", "transaction_count", "group_count"):
            if name in values:
                values[name] = int(values[name]) if _is_count(values[name]) else None
        return values

    def _check_required(self, segment: EnvelopeSegment, opener: str) -> None:
        for column in SEGMENTS[segment.kind]:
            if column.required and not (segment.get_element(column.element) or "").strip(" "):
                element = f"{segment.kind}{column.element:02}"
                self._report("MISSING_ELEMENT", segment.file, segment.segment, element, opener)

    def _check_repeated(self, segment: EnvelopeSegment, number: str | None) -> None:
        kind = segment.kind
        if number is not None and number in self.used_numbers[kind]:
            scope = {"ISA": "in the file", "GS": "in the interchange", "ST": "in the group"}[kind]
            element = f"{kind}{CONTROL_NUMBER_ELEMENTS[kind]:02}"
            self._report("CONTROL_NUMBER_REPEATED", segment.file, segment.segment, element, kind, {"scope": scope})
        self.used_numbers[kind].add(number)

    def _report(
        self,
        code: str,
        file: int,
        segment: int,
        element: str | None = None,
        opener: str | None = None,
        values: dict[str, Any] | None = None,
    ) -> None:
        """Record a problem; `opener` names the level that it makes unsound, with everything inside."""
        transaction = self.open.get("ST", {}).get("transaction") if opener == "ST" else None
        self.problems.append(ProblemRecord(code, file, segment, transaction, element, values or {}))
        if opener:
            self._mark_unsound(opener)

    def _mark_unsound(self, kind: str) -> None:
        number = self.open.get(kind, {}).get(LEVELS[kind])
        if number is not None:
            self.unsound.add((LEVELS[kind], number))


def _is_count(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdigit() and len(text) <= 10
