"""The envelope: interchanges, groups and transactions, what they count and whether their ends belong to them.

Its segments are few, so they are walked one by one, and the walk goes on where a file is read in pieces. What stands
inside a transaction is no matter here.
"""

from typing import Any, NamedTuple

from edi.layout import SEGMENTS
from edi.problems import TRANSACTIONS, Found

OPENERS = ("ISA", "GS", "ST")  # outermost first
CLOSERS = {"ISA": "IEA", "GS": "GE", "ST": "SE"}
OPENED_BY = {end: start for start, end in CLOSERS.items()}
THINGS = {"SE": "segments", "GE": "transactions", "IEA": "groups"}
CONTROL_NUMBER = {"ISA": 13, "GS": 6, "ST": 2}
NAMES = {"ISA": "interchange", "GS": "group", "ST": "transaction"}
OTHER, OUTSIDE = -1, -2  # in place of a payment: a transaction of another kind, none at all


class Row(NamedTuple):
    """A segment of the envelope; `at` is its row among all segments that are being read."""

    at: int
    file: int
    segment: int
    kind: str
    elements: list[str]
    signs: str

    def element(self, number: int) -> str | None:
        return (self.elements[number] or None) if number < len(self.elements) else None


class Envelope:
    """The walk. Then `interchanges`, `groups` and `payments` are rows for their frames; `marks` say from which row on
    which payment goes, or OTHER or OUTSIDE; `unsound` are those whose envelope is wrong: (one of NAMES, row number)."""

    def __init__(self) -> None:
        self.interchanges: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.payments: list[dict[str, Any]] = []
        self.marks: list[tuple[int, int]] = []
        self.found: list[Found] = []
        self.unsound: set[tuple[str, int]] = set()
        self._new_file()

    def _new_file(self) -> None:
        self.open: dict[str, dict[str, Any]] = {}
        self.holds = {"ISA": 0, "GS": 0}
        self.used: dict[str, set[Any]] = {kind: set() for kind in OPENERS}
        self.outside_told = False

    def next_piece(self) -> None:
        """The same file goes on: what is open begins the next frames, the rest has been told."""
        self.unsound = {(NAMES[kind], 0) for kind in ("ISA", "GS") if self._is_unsound(kind)}
        self.interchanges = [self.open["ISA"]] if "ISA" in self.open else []
        self.groups = [self.open["GS"]] if "GS" in self.open else []
        for row in self.interchanges:
            row["interchange"] = 0
        for row in self.groups:
            row |= {"group": 0, "interchange": 0 if self.interchanges else None}
        self.payments, self.marks, self.found = [], [], []

    def _is_unsound(self, kind: str) -> bool:
        return (NAMES[kind], self.open.get(kind, {}).get(NAMES[kind])) in self.unsound

    def walk(self, row: Row) -> None:
        if len(row.elements) > SEGMENTS[row.kind][-1].element + 1:
            self._problem("EXTRA_ELEMENT", row.file, row.segment, values={"id": row.kind})
        if row.kind in OPENERS:
            self._begin(row)
        else:
            self._end(row)

    def finish(self, file: int, last_segment: int, at: int) -> None:
        """The file ends before row `at`; what is still open has no end, and nothing of the next file belongs to it."""
        missing = [CLOSERS[kind] for kind in reversed(OPENERS) if kind in self.open]
        if missing:
            values = {"missing": f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'}"}
            self._problem("TRUNCATED", file, last_segment, None, OPENED_BY[missing[0]], values)
        for kind in list(self.open):
            self._taint(kind)
            self._leave(kind, at)
        self._new_file()

    def _begin(self, row: Row) -> None:
        depth = OPENERS.index(row.kind)
        self._close_from(depth, row)
        for outer in OPENERS[:depth]:
            if outer not in self.open:
                self._without(outer, row)
            elif outer == OPENERS[depth - 1]:
                self.holds[outer] += 1
        if row.kind != "ST":
            self.holds[row.kind] = 0
            self.used[OPENERS[depth + 1]] = set()
        rows, name = (self.interchanges, self.groups, self.payments)[depth], NAMES[row.kind]
        opened = self.open[row.kind] = self._opened(row)
        opened[name] = len(rows)
        if row.kind == "ST" and row.element(1) not in ("835", None):
            opened[name] = None
            what = TRANSACTIONS.get(row.element(1) or "", "of another kind")
            self._problem("NOT_835", row.file, row.segment, "ST01", "ST", {"what": what})
        else:
            rows.append(opened)
        if row.kind == "ST":
            self.marks.append((row.at, OTHER if opened["transaction"] is None else opened["transaction"]))
        self._check_required(row, row.kind)
        self._check_repeated(row, opened["control_number"])

    def _opened(self, row: Row) -> dict[str, Any]:
        """The row for its frame, so far as it is known before its end."""
        opened = self._named(row) | {"file": row.file, "segment": row.segment, "end_segment": None}
        if row.kind != "ISA":
            opened["interchange"] = self.open.get("ISA", {}).get("interchange")
        if row.kind == "ST":
            group = self.open.get("GS", {})
            opened |= {"group": group.get("group"), "version": opened["convention"] or group.get("version")}
        return opened

    def _without(self, outer: str, row: Row) -> None:
        """A transaction or group that stands in nothing: told once a file, though all of it is unsound."""
        if not self.outside_told:
            code = "NO_INTERCHANGE" if outer == "ISA" else "NO_GROUP"
            self._problem(code, row.file, row.segment)
        self.outside_told = True

    def _end(self, row: Row) -> None:
        start = OPENED_BY[row.kind]
        self._close_from(OPENERS.index(start) + 1, row)
        opened = self.open.get(start)
        if opened is None:
            why = f"there is no {start} that it could end"
            self._problem("MISPLACED_SEGMENT", row.file, row.segment, None, "GS", {"id": row.kind, "why": why})
            return
        opened |= self._named(row) | {"end_segment": row.segment}
        self._check_required(row, start)
        found = row.segment - opened["segment"] + 1 if start == "ST" else self.holds[start]
        said, count = row.element(1), f"{row.kind}01"
        if said is not None and not _is_count(said):
            self._problem("BAD_NUMBER", row.file, row.segment, count, start)
        elif said is not None and int(said) != found:
            values = {"said": int(said), "things": THINGS[row.kind], "found": found}
            self._problem("COUNT_DIFFERS", row.file, row.segment, count, start, values)
        if row.element(2) is not None and row.element(2) != opened["control_number"]:
            element = f"{row.kind}02"
            self._problem("CONTROL_NUMBER_DIFFERS", row.file, row.segment, element, start, {"opened": start})
        self._leave(start, row.at + 1)

    def _close_from(self, depth: int, row: Row) -> None:
        """What is open from this depth on should have ended before."""
        for kind in reversed(OPENERS[depth:]):
            if kind in self.open:
                values = {"opened": kind, "closed": CLOSERS[kind]}
                self._problem("MISSING_END", row.file, row.segment, None, kind, values)
                self._leave(kind, row.at)

    def _leave(self, kind: str, at: int) -> None:
        del self.open[kind]
        if kind == "ST":
            self.marks.append((at, OUTSIDE))

    def _named(self, row: Row) -> dict[str, Any]:
        """The elements under the names of their columns."""
        named: dict[str, Any] = {
            column.name: row.element(column.element) for column in SEGMENTS[row.kind] if column.element
        }
        if row.kind == "ISA":
            named = {name: (value or "").strip(" ") or None for name, value in named.items()}
            named |= {"element_separator": row.signs[0], "component_separator": row.signs[1]}
            named["segment_terminator"] = row.signs[2]
        for name in ("segment_count", "transaction_count", "group_count"):
            if name in named:
                named[name] = int(named[name]) if _is_count(named[name]) else None
        return named

    def _check_required(self, row: Row, at: str) -> None:
        for column in SEGMENTS[row.kind]:
            if column.required and not (row.element(column.element) or "").strip(" "):
                element = f"{row.kind}{column.element:02}"
                self._problem("MISSING_ELEMENT", row.file, row.segment, element, at)

    def _check_repeated(self, row: Row, number: str | None) -> None:
        if number is not None and number in self.used[row.kind]:
            where = {"ISA": "in the file", "GS": "in the interchange", "ST": "in the group"}[row.kind]
            element = f"{row.kind}{CONTROL_NUMBER[row.kind]:02}"
            self._problem("CONTROL_NUMBER_REPEATED", row.file, row.segment, element, row.kind, {"where": where})
        self.used[row.kind].add(number)

    def _problem(
        self,
        code: str,
        file: int,
        segment: int,
        element: str | None = None,
        at: str | None = None,
        values: dict[str, Any] | None = None,
    ) -> None:
        """`at` is the opener that it makes unsound, with all that stands in it."""
        transaction = self.open.get("ST", {}).get("transaction") if at == "ST" else None
        self.found.append(Found(code, file, segment, transaction, element, values or {}))
        if at:
            self._taint(at)

    def _taint(self, kind: str) -> None:
        number = self.open.get(kind, {}).get(NAMES[kind])
        if number is not None:
            self.unsound.add((NAMES[kind], number))


def _is_count(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdigit() and len(text) <= 10
