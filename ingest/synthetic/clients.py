"""The people who come, as the schedule needs to know them, and their coverages."""

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
