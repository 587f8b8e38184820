"""Clients, clinicians and the cells of their weekly schedule, which refer to each other."""

from dataclasses import dataclass, field

from ingest.synthetic.days import NEVER
from ingest.synthetic.practice_setup import Payer, Room

TURNS = 4  # weeks after which everything comes round again


@dataclass(slots=True, eq=False)
class Window:
    weekday: int
    start: int
    end: int
    first: int
    last: int  # the first day on which it is no more
    room: Room | None = None


@dataclass(slots=True, eq=False)
class Cell:
    clinician: "Clinician"
    weekday: int
    start: int
    minutes: int
    room: Room | None
    first: int
    last: int
    owners: "list[Client | None]" = field(default_factory=lambda: [None] * TURNS)
    members: "list[Client] | None" = None  # of a group
    guest: "Client | None" = None
    guest_week: int = -1

    @property
    def turns_free(self) -> int:
        return self.owners.count(None)


COSIGNED = ("APC", "LMSW")


@dataclass(slots=True, eq=False)
class Clinician:
    id: str
    seat: int
    license: str
    discipline: str
    signs: str  # prompt, evening, friday or late
    supervisor: "Clinician | None"
    hired: int
    left: int
    prescriber: bool
    missed: float  # how often clients stay away, against the mean
    overdue: float  # how often plan reviews come late
    soap: bool
    windows: "list[Window]" = field(default_factory=list)
    cells: "list[Cell]" = field(default_factory=list)
    away: dict[int, tuple[int, int, bool]] = field(default_factory=dict)  # day: from, to, unforeseen
    opened: "dict[int, list[Cell]]" = field(default_factory=dict)

    @property
    def cosigned(self) -> bool:
        return self.license in COSIGNED and self.supervisor is not None


@dataclass(slots=True, eq=False)
class Coverage:
    id: str
    rank: int
    payer: Payer
    first: int
    last: int
    copay: int


@dataclass(slots=True, eq=False)
class Client:
    id: str
    number: int
    asked: int  # the instant of the first call
    admitted: int
    born: int
    period: int  # weeks between sessions
    family: bool
    self_pay: bool
    no_show: float
    cancels: float
    telehealth: float  # share of the sessions
    portal: int  # the instant of activation, or NEVER
    books: str  # next, series or portal
    pays: str  # good, slow, partial, never or waived
    method: str
    diagnoses: str
    risk_since: int
    risk_until: int
    coverages: list[Coverage] = field(default_factory=list)
    clinicians: "list[tuple[int, Clinician]]" = field(default_factory=list)  # from which day on, the latest last
    cells: list[Cell] = field(default_factory=list)
    taken: int = 0  # weekdays on which the client has a fixed place, as bits
    moved_week: int = -1
    seen: int = NEVER  # the end of the first visit that was kept
    visits: int = 0
    missed: int = 0  # in a row
    stays_away: int = 0  # visits left of somebody who is dropping out
    evaluated: bool = False  # by a prescriber
    prescriber_cell: Cell | None = None
    tries: int = 0
    last_day: int = 0  # of a visit
    ended: int = NEVER
    end_reason: str = ""
    first_visit: int = NEVER
    first_telehealth: int = NEVER
    deductible_year: int = 0
    deductible_left: int = 0

    def minor_on(self, day: int) -> bool:
        return day - self.born < 6574

    def clinician_on(self, day: int) -> "Clinician | None":
        """The primary one of that day, or who stands in for one who left; the first one for what went before."""
        found = None
        for since, clinician in self.clinicians:
            if found is None or since <= day:
                found = clinician
        return found.supervisor if found and found.left <= day else found

    def coverage_on(self, day: int, rank: int = 1) -> Coverage | None:
        for coverage in self.coverages:
            if coverage.rank == rank and coverage.first <= day <= coverage.last:
                return coverage
        return None

    def own(self, cell: Cell, turns: "range | list[int]") -> None:
        for turn in turns:
            cell.owners[turn] = self
        self.join(cell)

    def join(self, cell: Cell) -> None:
        self.cells.append(cell)
        self.taken |= 1 << cell.weekday

    def leave(self, cell: Cell) -> None:
        cell.owners = [None if owner is self else owner for owner in cell.owners]
        if cell.members is not None and self in cell.members:
            cell.members.remove(self)
        self.cells.remove(cell)
        self.taken = 0
        for other in self.cells:
            self.taken |= 1 << other.weekday

    def end(self, day: int, reason: str) -> None:
        self.ended, self.end_reason = max(day, self.last_day + 1), reason
        for cell in list(self.cells):
            self.leave(cell)
