"""The setup of a practice: services, rooms, payers, closures and incidents."""

from dataclasses import dataclass
from random import Random

from ingest.synthetic.days import Days, list_holidays
from ingest.synthetic.files import AMOUNTS, Files, format_boolean, quote_cell
from ingest.synthetic.names import make_npi, pick, split_words
from ingest.synthetic.size import Size


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the practice."""

    code: str
    name: str
    kind: str
    cpt: str
    minutes: int
    rate: int  # cents
    type: str  # of its appointments


INDIVIDUAL_30 = Service("IND30", "Individual session, short", "INDIVIDUAL", "90832", 30, 9_500, "FOLLOW_UP")
INDIVIDUAL_45 = Service("IND45", "Individual session", "INDIVIDUAL", "90834", 45, 13_500, "THERAPY_SESSION")
INDIVIDUAL_60 = Service("IND60", "Individual session, long", "INDIVIDUAL", "90837", 60, 17_000, "THERAPY_SESSION")
INTAKE_45 = Service("INT45", "First visit, short", "INTAKE", "90791", 45, 18_500, "INITIAL_EVALUATION")
INTAKE_60 = Service("INT60", "First visit", "INTAKE", "90791", 60, 22_500, "INITIAL_EVALUATION")
FAMILY = Service("FAM50", "Family session", "FAMILY", "90847", 50, 15_500, "FAMILY_THERAPY")
PARENTS = Service("FAM50P", "Family session, parents only", "FAMILY", "90846", 50, 14_500, "FAMILY_THERAPY")
GROUP = Service("GRP90", "Group", "GROUP", "90853", 90, 6_000, "GROUP_THERAPY")
MEDICATION = Service("MED30", "Medication visit", "MEDICATION", "99213", 30, 12_000, "MEDICATION_MANAGEMENT")
SERVICES = (
    INDIVIDUAL_30,
    INDIVIDUAL_45,
    INDIVIDUAL_60,
    INTAKE_45,
    INTAKE_60,
    FAMILY,
    PARENTS,
    GROUP,
    MEDICATION,
)


@dataclass(frozen=True, slots=True)
class Payer:
    """A payer, with how fast and how much it pays, and what it denies."""

    id: str
    name: str
    share: float  # of the insured clients
    response_days: int  # from submission to decision, on average
    allowed_percent: int  # of the charge
    coinsurance_percent: int  # of what is left after deductible and copay
    has_deductible: bool
    denial_rate: float
    denial_rate_by_cpt: dict[str, float]
    underpayment_rate: float  # how often it allows less than the contract
    method: str
    remittance_weekdays: tuple[int, ...]
    bills_weekly: bool  # takes one claim for a client's week

    def get_denial_rate(self, cpt: str) -> float:
        """Return how often the payer denies charges with this CPT code."""
        return self.denial_rate_by_cpt.get(cpt, self.denial_rate)


PAYERS = (
    Payer("BRK01", "Brookfield Health Plan", 0.3, 11, 78, 0, False, 0.012, {}, 0.0, "EFT", (2, 5), False),
    Payer("OMA02", "O'Malley & Sons Mutual", 0.2, 16, 72, 20, True, 0.02, {"90837": 0.14}, 0.0, "EFT", (3,), False),
    Payer(
        "NBL03", 'Northern "Blue" Lakes, Inc.', 0.16, 21, 70, 10, False, 0.025, {"90846": 0.5}, 0.12, "EFT", (4,), True
    ),
    Payer("GRW04", "Grünwald Benefit Fund", 0.12, 48, 80, 0, True, 0.03, {}, 0.0, "CHECK", (5,), False),
    Payer("STP05", "State Plan of the Peaches", 0.14, 9, 55, 0, False, 0.02, {"90853": 0.1}, 0.0, "EFT", (1, 4), False),
    Payer(
        "HRN06", "Harrow & Heath Employees", 0.08, 30, 66, 20, True, 0.06, {"90791": 0.12}, 0.06, "CHECK", (2,), True
    ),
)
SECONDARY = Payer("SUP09", "Supplement Select", 0.0, 18, 90, 0, False, 0.03, {}, 0.0, "EFT", (3,), False)

ROOM_NAMES = split_words("Maple Garden Harbor Lantern Meadow Orchard Quarry River Sparrow Terrace")
INCIDENTS = (
    ("MISDIRECTED_EMAIL", "A reminder went to the wrong address; the recipient deleted it."),
    ("LOST_DEVICE", "A telephone was left on the train, locked, and came back the next day."),
    ("WRONG_CHART", 'A document was filed in another chart ("same last name") and moved.'),
    ("MISDIRECTED_FAX", "A fax reached a bakery, which called at once."),
)


@dataclass(slots=True)
class Room:
    id: str
    capacity: int


def set_up_practice(size: Size, rng: Random, days: Days, files: Files) -> tuple[list[Room], list[Room]]:
    """Write the practice, its services and rooms. Return the rooms for single sessions and those for groups."""
    tax_id = f"00-{int(rng.random() * 10**7):07d}"
    files.rows["practice"].append(f"{quote_cell(size.name)},{size.time_zone},{make_npi(rng)},{tax_id},112.00\n")
    for service in sorted(SERVICES, key=lambda service: service.code):
        name = quote_cell(service.name)
        files.rows["services"].append(
            f"{service.code},{name},{service.kind},{service.cpt},{service.minutes},{AMOUNTS[service.rate]}\n"
        )
    single_rooms = [
        Room(f"R{number:03d}", 2 + 2 * (number % 3 == 0)) for number in range(1, round(size.clinicians * 0.8) + 2)
    ]
    group_rooms = [Room(f"R9{number:02d}", 10) for number in range(1, size.clinicians // 10 + 2)]
    for index, room in enumerate([*single_rooms, *group_rooms]):
        round_number, name_index = divmod(index, len(ROOM_NAMES))
        name = f"{ROOM_NAMES[name_index]} {round_number + 1}" if round_number else f"{ROOM_NAMES[name_index]} room"
        name = f"{name}, group" if room.capacity == 10 else name
        equipment = pick(rng, ("", "video", "video|whiteboard", "toys|sand tray"))
        files.rows["rooms"].append(f"{room.id},{quote_cell(name)},{room.capacity},{equipment},true\n")
    files.rows["rooms"].append(f"R999,Old file room,1,,{format_boolean(False)}\n")
    return single_rooms, group_rooms


def add_closures(first: int, last: int, days: Days, files: Files) -> dict[int, str]:
    closed = list_holidays(first, last)
    files.rows["closures"].extend(f"{days.dates[day]},{quote_cell(reason)}\n" for day, reason in closed.items())
    return closed


def add_incidents(rng: Random, first: int, days: Days, files: Files) -> None:
    day = first + int(rng.random() * 200)
    while (detected := days.to_instant(day, 540 + int(rng.random() * 480))) <= days.until:
        kind, summary = pick(rng, INCIDENTS)
        response_minutes = int(15 + 60 * rng.random()) if rng.random() < 0.75 else int(60 + 400 * rng.random())
        responded = "" if rng.random() < 0.08 else days.format_if_past(detected + response_minutes)
        files.add_row("incidents", kind, days.format_instant(detected), responded, quote_cell(summary))
        day += 60 + int(rng.random() * 300)
