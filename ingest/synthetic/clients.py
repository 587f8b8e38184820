"""Clients as the schedule needs them, and their coverages."""

from random import Random

from ingest.synthetic.days import NEVER, Days
from ingest.synthetic.files import Files
from ingest.synthetic.model import Client, Coverage
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import PAYERS, SECONDARY, Payer

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


def create_client(rng: Random, number: int, called_at: int, days: Days, files: Files) -> Client:
    """Return a new client with random habits, and their coverages unless they pay themselves."""
    admitted_on = days.to_local_day(called_at)
    r = rng.random()
    years = 6 + 12 * rng.random() if r < 0.18 else 18 + 24 * rng.random() if r < 0.75 else 42 + 40 * rng.random()
    portal_activated_at = called_at + int(rng.random() ** 2 * 120_000) if rng.random() < 0.68 else NEVER
    risk_since = admitted_on + int(rng.random() * 200) if rng.random() < 0.05 else NEVER
    weeks_between = pick(rng, (1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 4))
    client = Client(
        id=f"C{number:06d}",
        number=number,
        called_at=called_at,
        admitted_on=admitted_on,
        born_on=admitted_on - int(years * 365.25),
        weeks_between=weeks_between,
        is_family=rng.random() < 0.1,
        is_self_pay=rng.random() < 0.13,
        no_show_rate=0.18 + 0.16 * rng.random() if rng.random() < 0.18 else 0.04 * rng.random() + 0.005,
        cancellation_rate=0.03 + 0.1 * rng.random() ** 2,
        telehealth_share=pick(rng, (0.0, 0.0, 0.0, 0.05, 0.1, 0.3, 0.5, 1.0)),
        portal_activated_at=portal_activated_at,
        booking_habit=pick(
            rng,
            ("next", "series", "series", "portal", "portal") if portal_activated_at != NEVER else ("next", "series"),
        ),
        payment_habit=pick(rng, ("good",) * 14 + ("slow",) * 4 + ("partial",) * 2 + ("never",)),
        payment_method=pick(rng, ("CREDIT_CARD",) * 7 + ("DEBIT_CARD", "CHECK", "CASH")),
        diagnoses="|".join(dict.fromkeys(pick(rng, DIAGNOSES) for _ in range(pick(rng, (1, 1, 1, 2, 2, 3))))),
        risk_since=risk_since,
        risk_until=risk_since + 60 + int(rng.random() * 160) if rng.random() < 0.4 else NEVER,
    )
    if rng.random() < 0.02:
        client.payment_habit = "waived"
    if not client.is_self_pay:
        insure(client, rng, days, files)
    return client


def insure(client: Client, rng: Random, days: Days, files: Files) -> None:
    """Add a first coverage. Some end, with or without a next one, and some clients have a secondary one."""
    first_day = client.admitted_on - 30 - int(rng.random() * 900)
    payer = choose_payer(rng)
    last_day = client.admitted_on + 90 + int(rng.random() * 500) if rng.random() < 0.12 else NEVER
    add_coverage(client, 1, payer, first_day, last_day, rng, files)
    if last_day < days.today and rng.random() < 0.8:
        add_coverage(client, 1, choose_payer(rng), last_day + 1, NEVER, rng, files)
    if rng.random() < 0.07:
        add_coverage(client, 2, SECONDARY, first_day, NEVER, rng, files)


def add_coverage(
    client: Client, rank: int, payer: Payer, first_day: int, last_day: int, rng: Random, files: Files
) -> None:
    copay = 0 if rank == 2 else pick(rng, (0, 2_000, 2_500, 3_000, 3_000, 4_000))
    client.coverages.append(Coverage(files.make_id("coverages"), rank, payer, first_day, last_day, copay))


def choose_payer(rng: Random) -> Payer:
    r = rng.random()
    for payer in PAYERS:
        r -= payer.share
        if r < 0:
            return payer
    return PAYERS[0]
