"""Clients, clinicians and the slots of their weekly schedule, which refer to each other."""

from dataclasses import dataclass, field

from ingest.synthetic.days import NEVER
from ingest.synthetic.practice_setup import Payer, Room

WEEKS_PER_ROUND = 4  # the schedule repeats after these


@dataclass(slots=True, eq=False)
class Window:
    """A time of the week during which a clinician is available."""

    weekday: int
    start: int
    end: int
    first_day: int
    end_day: int  # the first day after it
    room: Room | None = None


@dataclass(slots=True, eq=False)
class Slot:
    """A fixed part of a clinician's week, owned by a client in each week of the round, or by a group."""

    clinician: "Clinician"
    weekday: int
    start: int
    minutes: int
    room: Room | None
    first_day: int
    end_day: int
    owners: "list[Client | None]" = field(default_factory=lambda: [None] * WEEKS_PER_ROUND)
    members: "list[Client] | None" = None  # of a group
    guest: "Client | None" = None
    guest_week: int = -1

    def count_free_weeks(self) -> int:
        return self.owners.count(None)


COSIGNED_LICENSES = ("APC", "LMSW")


@dataclass(slots=True, eq=False)
class Clinician:
    """A clinician, with their habits and their schedule."""

    id: str
    position: int
    license: str
    discipline: str
    signing_habit: str  # prompt, evening, friday or late
    supervisor: "Clinician | None"
    hired_on: int
    left_on: int
    is_prescriber: bool
    no_show_factor: float  # relative to the mean
    overdue_rate: float  # of plan reviews
    writes_soap: bool
    windows: "list[Window]" = field(default_factory=list)
    slots: "list[Slot]" = field(default_factory=list)
    absences: dict[int, tuple[int, int, bool]] = field(default_factory=dict)  # by day: from, to, whether unforeseen
    extra_slots: "dict[int, list[Slot]]" = field(default_factory=dict)

    @property
    def is_cosigned(self) -> bool:
        """Return whether a supervisor has to sign the clinician's notes."""
        return self.license in COSIGNED_LICENSES and self.supervisor is not None


@dataclass(slots=True, eq=False)
class Coverage:
    """A client's coverage by a payer."""

    id: str
    rank: int
    payer: Payer
    first_day: int
    last_day: int
    copay: int


@dataclass(slots=True, eq=False)
class Client:
    """A client, with their habits, and what has happened so far."""

    id: str
    number: int
    called_at: int  # the first call
    admitted_on: int
    born_on: int
    weeks_between: int
    is_family: bool
    is_self_pay: bool
    no_show_rate: float
    cancellation_rate: float
    telehealth_share: float
    portal_activated_at: int  # or NEVER
    booking_habit: str  # next, series or portal
    payment_habit: str  # good, slow, partial, never or waived
    payment_method: str
    diagnoses: str
    risk_since: int
    risk_until: int
    coverages: list[Coverage] = field(default_factory=list)
    clinicians: "list[tuple[int, Clinician]]" = field(default_factory=list)  # with their first day, in order
    slots: list[Slot] = field(default_factory=list)
    taken_weekdays: int = 0  # those with a slot, as bits
    moved_week: int = -1
    first_seen_at: int = NEVER  # the end of the first completed visit
    visits: int = 0
    missed_in_a_row: int = 0
    visits_until_dropout: int = 0  # if dropping out
    is_evaluated: bool = False  # by a prescriber
    prescriber_slot: Slot | None = None
    evaluation_attempts: int = 0
    last_visit_on: int = 0
    ended_on: int = NEVER
    end_reason: str = ""
    first_visit_at: int = NEVER
    first_telehealth_at: int = NEVER
    deductible_year: int = 0
    deductible_left: int = 0

    def is_minor_on(self, day: int) -> bool:
        return day - self.born_on < 6574

    def get_clinician_on(self, day: int) -> "Clinician | None":
        """Return the primary clinician of a day, or the supervisor of one who has left.

        Days before the first clinician get that one.
        """
        primary = None
        for first_day, clinician in self.clinicians:
            if primary is None or first_day <= day:
                primary = clinician
        return primary.supervisor if primary and primary.left_on <= day else primary

    def get_coverage_on(self, day: int, rank: int = 1) -> Coverage | None:
        """Return the coverage of this rank on a day."""
        for coverage in self.coverages:
            if coverage.rank == rank and coverage.first_day <= day <= coverage.last_day:
                return coverage
        return None

    def take_turns(self, slot: Slot, weeks: "range | list[int]") -> None:
        """Take a slot in these weeks of the round."""
        for week in weeks:
            slot.owners[week] = self
        self.join(slot)

    def join(self, slot: Slot) -> None:
        """Add the slot to the client's week."""
        self.slots.append(slot)
        self.taken_weekdays |= 1 << slot.weekday

    def leave(self, slot: Slot) -> None:
        """Give up a slot."""
        slot.owners = [None if owner is self else owner for owner in slot.owners]
        if slot.members is not None and self in slot.members:
            slot.members.remove(self)
        self.slots.remove(slot)
        self.taken_weekdays = 0
        for other in self.slots:
            self.taken_weekdays |= 1 << other.weekday

    def end(self, day: int, reason: str) -> None:
        """End the treatment after the last visit."""
        self.ended_on, self.end_reason = max(day, self.last_visit_on + 1), reason
        for slot in list(self.slots):
            self.leave(slot)
