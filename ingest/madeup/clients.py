"""The people who come, as the schedule needs to know them, and their coverages."""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from ingest.madeup.days import NEVER, Days
from ingest.madeup.files import Files
from ingest.madeup.hours import Cell
from ingest.madeup.names import pick
from ingest.madeup.office import PAYERS, SECONDARY, Payer

if TYPE_CHECKING:
    from ingest.madeup.people import Clinician

DIAGNOSES = (
    "F41.1",
    "F41.9",
    "F33.1",
    "F32.1",
    "F43.10",
    "F43.22",
    "F43.23",
    "F42.2",
    "F40.10",
    "F31.81",
    "F90.0",
    "F90.2",
    "F50.81",
    "F60.3",
    "F84.0",
)


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


def new_client(rng: Random, number: int, asked: int, days: Days, files: Files) -> Client:
    admitted = days.local_day(asked)
    r = rng.random()
    years = 6 + 12 * rng.random() if r < 0.18 else 18 + 24 * rng.random() if r < 0.75 else 42 + 40 * rng.random()
    portal = asked + int(rng.random() ** 2 * 120_000) if rng.random() < 0.68 else NEVER
    risk = admitted + int(rng.random() * 200) if rng.random() < 0.05 else NEVER
    period = pick(rng, (1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 4))
    client = Client(
        id=f"C{number:06d}",
        number=number,
        asked=asked,
        admitted=admitted,
        born=admitted - int(years * 365.25),
        period=period,
        family=rng.random() < 0.1,
        self_pay=rng.random() < 0.13,
        no_show=0.18 + 0.16 * rng.random() if rng.random() < 0.18 else 0.04 * rng.random() + 0.005,
        cancels=0.03 + 0.1 * rng.random() ** 2,
        telehealth=pick(rng, (0.0, 0.0, 0.0, 0.05, 0.1, 0.3, 0.5, 1.0)),
        portal=portal,
        books=pick(rng, ("next", "series", "series", "portal", "portal") if portal != NEVER else ("next", "series")),
        pays=pick(rng, ("good",) * 14 + ("slow",) * 4 + ("partial",) * 2 + ("never",)),
        method=pick(rng, ("CREDIT_CARD",) * 7 + ("DEBIT_CARD", "CHECK", "CASH")),
        diagnoses="|".join(dict.fromkeys(pick(rng, DIAGNOSES) for _ in range(pick(rng, (1, 1, 1, 2, 2, 3))))),
        risk_since=risk,
        risk_until=risk + 60 + int(rng.random() * 160) if rng.random() < 0.4 else NEVER,
    )
    if rng.random() < 0.02:
        client.pays = "waived"
    if not client.self_pay:
        insure(client, rng, days, files)
    return client


def insure(client: Client, rng: Random, days: Days, files: Files) -> None:
    """A first coverage, for some another after it, beside it, or none after it."""
    first = client.admitted - 30 - int(rng.random() * 900)
    payer = choose_payer(rng)
    ends = client.admitted + 90 + int(rng.random() * 500) if rng.random() < 0.12 else NEVER
    cover(client, 1, payer, first, ends, rng, files)
    if ends < days.today and rng.random() < 0.8:
        cover(client, 1, choose_payer(rng), ends + 1, NEVER, rng, files)
    if rng.random() < 0.07:
        cover(client, 2, SECONDARY, first, NEVER, rng, files)


def cover(client: Client, rank: int, payer: Payer, first: int, last: int, rng: Random, files: Files) -> None:
    copay = 0 if rank == 2 else pick(rng, (0, 2_000, 2_500, 3_000, 3_000, 4_000))
    client.coverages.append(Coverage(files.new_id("coverages"), rank, payer, first, last, copay))


def choose_payer(rng: Random) -> Payer:
    r = rng.random()
    for payer in PAYERS:
        r -= payer.share
        if r < 0:
            return payer
    return PAYERS[0]
