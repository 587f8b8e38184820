"""The demo practice is realistic: it has habits, seasons, exceptions and a few mistakes."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import mean, median
from typing import Any

import pytest

from tests.support.drivers.synthetic import DEMO, SUMMER, SyntheticPractice, generate_practice
from tests.support.oracles.bundle_checker import Row

RESOLVED = ("COMPLETED", "NO_SHOW", "CANCELLED")


@pytest.fixture
def demo() -> SyntheticPractice:
    return generate_practice(DEMO)


def list_past(practice: SyntheticPractice) -> list[Row]:
    return [row for row in practice.bundle["appointments"] if row["starts_at"] <= practice.until]


def list_visits_by_client(practice: SyntheticPractice, statuses: tuple[str, ...]) -> list[list[Row]]:
    by_client = defaultdict(list)
    for row in sorted(list_past(practice), key=lambda row: row["starts_at"]):
        if row["status"] in statuses:
            by_client[row["client_id"]].append(row)
    return list(by_client.values())


def compute_share(rows: list[Row], column: str, value: Any) -> float:
    return sum(row[column] == value for row in rows) / len(rows)


def compute_daytime_share(practice: SyntheticPractice, instants: list[datetime]) -> float:
    """Return the share of instants between 7 am and 10 pm local time."""
    return mean(7 <= practice.to_local(at).hour < 22 for at in instants)


def compute_age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def test_the_demo_practice_has_a_mailbox_for_every_role(demo: SyntheticPractice) -> None:
    [practice] = demo.bundle["practice"]
    assert (practice["name"], practice["time_zone"]) == ("Willow Street Therapy", "America/New_York")
    roles = {row["email"]: row["roles"] for row in demo.bundle["staff"]}
    for role in ("admin", "supervisor", "clinician", "scheduler", "biller"):
        assert role in roles.pop(f"{role}@willow.example")
    assert all(email.startswith("staff-") and email.endswith("@willow.example") for email in roles)
    staff = {row["email"]: row for row in demo.bundle["staff"]}
    assert staff["clinician@willow.example"]["supervisor_id"] == staff["supervisor@willow.example"]["id"]
    assert all(staff[f"{role}@willow.example"]["left_on"] is None for role in ("admin", "supervisor", "clinician"))


def test_rates_look_like_those_of_a_practice(demo: SyntheticPractice) -> None:
    rows = [row for row in list_past(demo) if row["status"] in RESOLVED]
    assert 0.75 <= compute_share(rows, "status", "COMPLETED") <= 0.92
    assert 0.04 <= compute_share(rows, "status", "NO_SHOW") <= 0.14
    assert 0.06 <= compute_share(rows, "status", "CANCELLED") <= 0.16
    assert 0.1 <= compute_share(rows, "telehealth", True) <= 0.5
    assert 0.3 <= compute_share(rows, "booked_via", "PORTAL") <= 0.55
    assert 7 <= mean((row["starts_at"] - row["created_at"]).days for row in rows) <= 15
    assert len({row["cancellation_reason"] for row in rows}) > 6
    assert sum(row["status"] == "RESCHEDULED" for row in list_past(demo)) > 100


def test_no_shows_cluster_in_some_clients_and_after_missed_weeks(demo: SyntheticPractice) -> None:
    histories = list_visits_by_client(demo, RESOLVED)
    halves = [
        (compute_share(rows[::2], "status", "NO_SHOW"), compute_share(rows[1::2], "status", "NO_SHOW"))
        for rows in histories
        if len(rows) >= 16
    ]
    halves.sort()
    tenth = len(halves) // 10
    assert mean(second for _, second in halves[-tenth:]) > 4 * mean(second for _, second in halves[:-tenth])
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for rows in histories:
        for before, row in pairwise(rows):
            after[before["status"]][row["status"]] += 1
    risk = {status: counts["NO_SHOW"] / counts.total() for status, counts in after.items()}
    assert risk["NO_SHOW"] > 2.5 * risk["COMPLETED"]


def test_regular_clients_keep_their_local_time_over_the_clock_change(demo: SyntheticPractice) -> None:
    shares, stayed = [], []
    by_pair = defaultdict(list)
    for row in list_past(demo):
        if row["status"] in ("COMPLETED", "NO_SHOW") and not row["group_id"]:
            by_pair[row["client_id"], row["clinician_id"]].append(demo.to_local(row["starts_at"]))
    for times in by_pair.values():
        offsets = {time.utcoffset() for time in times}
        slots = Counter((time.isoweekday(), time.hour, time.minute) for time in times)
        if len(times) >= 20 and len(offsets) == 2:
            [(slot, often)] = slots.most_common(1)
            shares.append(often / len(times))
            there = [time for time in times if (time.isoweekday(), time.hour, time.minute) == slot]
            stayed.append({time.utcoffset() for time in there} == offsets)
    assert len(stayed) > 100
    assert mean(shares) > 0.8
    assert mean(stayed) > 0.97


def test_clients_come_weekly_or_every_two_weeks(demo: SyntheticPractice) -> None:
    gaps = Counter()
    for rows in list_visits_by_client(demo, ("COMPLETED",)):
        days = sorted({demo.to_local(row["starts_at"]).date() for row in rows})
        gaps.update((b - a).days for a, b in pairwise(days))
    assert gaps[7] > 0.3 * gaps.total()
    assert gaps[14] > 0.15 * gaps.total()


def test_august_and_the_end_of_december_are_quiet(demo: SyntheticPractice) -> None:
    by_month = Counter(f"{row['starts_at']:%Y-%m}" for row in list_past(demo) if row["status"] == "COMPLETED")
    assert by_month["2025-08"] < 0.9 * by_month["2025-07"]
    assert by_month["2025-08"] < 0.9 * by_month["2025-09"]
    per_week = Counter(
        (demo.to_local(row["starts_at"]).date() - date(2025, 11, 30)).days // 7
        for row in list_past(demo)
        if row["status"] == "COMPLETED"
    )
    assert per_week[4] < 0.75 * per_week[1]


def test_treatment_begins_with_a_first_visit(demo: SyntheticPractice) -> None:
    start = min(row["starts_at"] for row in demo.bundle["appointments"]).date()
    kinds = {row["code"]: row["kind"] for row in demo.bundle["services"]}
    new = [
        rows
        for rows in list_visits_by_client(demo, ("COMPLETED",))
        if demo.bundle.by_id["clients"][rows[0]["client_id"]]["admitted_on"] > start
    ]
    assert len(new) > 300
    first = [(kinds[rows[0]["service_code"]], rows[0]["type"]) for rows in new]
    assert (
        mean(kind == ("INTAKE", "INITIAL_EVALUATION") for kind in first) > 0.995
    )  # for some the first visit was not recorded
    notes = {note["appointment_id"]: note["type"] for note in demo.bundle["notes"]}
    written = Counter(notes.get(rows[0]["id"]) for rows in new)
    assert {note for note, _ in written.most_common(2)} == {"INTAKE_ASSESSMENT", "PSYCHIATRIC_EVALUATION"}
    waits = [
        (rows[0]["starts_at"].date() - demo.bundle.by_id["clients"][rows[0]["client_id"]]["admitted_on"]).days
        for rows in new
    ]
    assert 4 <= median(waits) <= 30


def test_clients_come_and_go(demo: SyntheticPractice) -> None:
    reasons = Counter(row["end_reason"] for row in demo.bundle["clients"])
    assert min(reasons["DISCHARGED"], reasons["INACTIVE"], reasons[None]) > 100
    months = Counter(f"{row['admitted_on']:%Y-%m}" for row in demo.bundle["clients"])
    assert sum(months[f"2025-{month:02d}"] > 10 for month in range(1, 13)) == 12


def test_groups_families_and_prescribers_have_their_services(demo: SyntheticPractice) -> None:
    services = {row["code"]: row for row in demo.bundle["services"]}
    kinds = {(services[row["service_code"]]["kind"], row["type"]) for row in demo.bundle["appointments"]}
    expected = {("GROUP", "GROUP_THERAPY"), ("FAMILY", "FAMILY_THERAPY"), ("MEDICATION", "MEDICATION_MANAGEMENT")}
    assert expected <= kinds
    sizes = Counter(len(seats) for group, seats in demo.bundle.group_by("appointments", "group_id").items() if group)
    assert len(sizes) >= 4
    used = {row["cpt_code"] for row in demo.bundle["charges"]}
    assert used == {"90791", "90832", "90834", "90837", "90846", "90847", "90853", "99213"}
    disciplines = {row["id"]: row["discipline"] for row in demo.bundle["staff"]}
    both = [
        rows
        for rows in list_visits_by_client(demo, ("COMPLETED",))
        if len({disciplines[row["clinician_id"]] for row in rows}) > 1
    ]
    assert len(both) > 50


def measure_signing(practice: SyntheticPractice) -> dict[str, dict[str, list[Any]]]:
    """Return for each clinician the days from session to signature, and whether the weekly deadline was met."""
    habits: dict[str, dict[str, list[Any]]] = defaultdict(lambda: {"days": [], "met_deadline": []})
    visits = practice.bundle.by_id["appointments"]
    for note in practice.bundle["notes"]:
        if note["appointment_id"] and note["signed_at"]:
            visit = visits[note["appointment_id"]]
            on = practice.to_local(visit["starts_at"]).date()
            signed = practice.to_local(note["signed_at"]).date()
            due = on - timedelta(on.isoweekday() % 7) + timedelta(8)
            habits[note["clinician_id"]]["days"].append((note["signed_at"] - visit["ends_at"]).total_seconds() / 86_400)
            habits[note["clinician_id"]]["met_deadline"].append(signed < due)
    return habits


def test_clinicians_have_habits_of_measure_signing(demo: SyntheticPractice) -> None:
    habits = measure_signing(demo)
    late = {clinician: 1 - mean(by["met_deadline"]) for clinician, by in habits.items()}
    assert sum(rate < 0.05 for rate in late.values()) >= 3
    assert sum(rate > 0.15 for rate in late.values()) >= 1
    medians = {clinician: median(by["days"]) for clinician, by in habits.items()}
    assert min(medians.values()) < 0.1
    assert max(medians.values()) > 1.5
    days = [day for by in habits.values() for day in by["days"]]
    assert sum(day > 7 for day in days) > 100
    assert sum(day > 14 for day in days) > 20
    fridays: dict[str, list[bool]] = defaultdict(list)
    for note in demo.bundle["notes"]:
        if note["appointment_id"] and note["signed_at"]:
            fridays[note["clinician_id"]].append(demo.to_local(note["signed_at"]).isoweekday() == 5)
    assert max(mean(flags) for flags in fridays.values()) > 0.75


def test_some_notes_are_still_open_at_the_end(demo: SyntheticPractice) -> None:
    written = {note["appointment_id"]: note for note in demo.bundle["notes"] if note["appointment_id"]}
    completed = [row for row in list_past(demo) if row["status"] == "COMPLETED"]
    recent = [row for row in completed if row["ends_at"] > demo.until - timedelta(days=7)]
    unsigned = [row for row in recent if row["id"] not in written or written[row["id"]]["signed_at"] is None]
    assert 0.05 < len(unsigned) / len(recent) < 0.5
    old = [row for row in completed if row["ends_at"] < demo.until - timedelta(days=7)]
    backlog = [row for row in old if row["id"] not in written or written[row["id"]]["signed_at"] is None]
    assert 5 < len(backlog) < 0.02 * len(old)
    assert {note["status"] for note in written.values()} == {"SIGNED", "AMENDED", "DRAFT", "IN_REVIEW"}


def test_supervisors_sign_for_associates(demo: SyntheticPractice) -> None:
    staff = demo.bundle.by_id["staff"]
    signers = defaultdict(set)
    for note in demo.bundle["notes"]:
        if note["signed_by_id"]:
            signers[note["clinician_id"]].add(note["signed_by_id"])
    associates = [row for row in staff.values() if row["license_type"] in ("APC", "LMSW")]
    assert len(associates) >= 2
    for row in associates:
        assert signers[row["id"]] == {row["supervisor_id"]}
    hours: Counter[tuple[str, str]] = Counter()
    for row in demo.bundle["supervision"]:
        hours[row["supervisee_id"], f"{demo.to_local(row['held_at']):%Y-%m}"] += row["hours"]
    required = {"LPC": 2, "APC": 2, "LMSW": 4}
    met = [hours[who, month] >= required[staff[who]["license_type"]] for who, month in hours]
    assert 0.6 < mean(met) < 1


def test_the_front_desk_makes_mistakes(demo: SyntheticPractice) -> None:
    stale = [
        row
        for row in list_past(demo)
        if row["status"] in ("SCHEDULED", "CHECKED_IN") and row["starts_at"] < demo.until - timedelta(days=1)
    ]
    assert 2 <= len(stale) <= 40
    charged = {row["appointment_id"] for row in demo.bundle["charges"] if row["voided_at"] is None}
    completed = [row["id"] for row in list_past(demo) if row["status"] == "COMPLETED"]
    assert 0.95 < sum(row in charged for row in completed) / len(completed) < 1
    assert any(row["voided_at"] for row in demo.bundle["charges"])
    assert any(row["appointment_id"] is None for row in demo.bundle["charges"])
    assert any(row["address"] is None or row["phone"] is None for row in demo.bundle["clients"])


def test_people_sleep_at_night(demo: SyntheticPractice) -> None:
    for file, column in (
        ("appointments", "created_at"),
        ("appointments", "status_at"),
        ("appointments", "eligibility_verified_at"),
        ("notes", "signed_at"),
        ("consents", "signed_at"),
        ("charges", "created_at"),
        ("payments", "posted_at"),
        ("adjustments", "posted_at"),
    ):
        assert compute_daytime_share(demo, [row[column] for row in demo.bundle[file] if row[column]]) > 0.97, (
            file,
            column,
        )


def test_future_appointments_are_booked_and_partly_confirmed(demo: SyntheticPractice) -> None:
    future = [row for row in demo.bundle["appointments"] if row["starts_at"] > demo.until]
    assert {"SCHEDULED", "CONFIRMED", "CANCELLED"} <= {row["status"] for row in future}
    weeks = Counter((row["starts_at"] - demo.until).days // 7 for row in future)
    assert weeks[0] > weeks[1] > weeks[2] > 30


def test_consents_are_renewed_with_a_few_gaps(demo: SyntheticPractice) -> None:
    bundle = demo.bundle
    consents: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for row in bundle["consents"]:
        consents[row["client_id"], row["kind"]].append(row["signed_at"])
    minors = [row for row in bundle["clients"] if compute_age(row["birth_date"], row["admitted_on"]) < 18]
    assert 0.1 < len(minors) / len(bundle["clients"]) < 0.3
    assert any(row["emancipated"] for row in minors)
    guarded = [row for row in minors if not row["emancipated"]]
    assert all(row["guardian_name"] and row["guardian_phone"] for row in guarded)
    assert mean((row["id"], "GUARDIAN") in consents for row in guarded) > 0.9
    first: dict[str, datetime] = {}
    for row in list_past(demo):
        if row["telehealth"] and row["status"] != "CANCELLED":
            first[row["client_id"]] = min(row["starts_at"], first.get(row["client_id"], row["starts_at"]))
    in_time = [any(at < start for at in consents[client, "TELEHEALTH"]) for client, start in first.items()]
    assert 0.95 < mean(in_time) < 1
    active = [row for row in bundle["clients"] if row["ended_on"] is None and row["admitted_on"] < demo.today]
    current = [
        any(at > demo.until - timedelta(days=365) for at in consents[row["id"], "INFORMED_TREATMENT"]) for row in active
    ]
    assert 0.9 < mean(current) < 1
    assert 1 <= sum(row["revoked_at"] is not None for row in bundle["consents"]) < 40


def test_plans_are_reviewed_about_every_ninety_days_and_some_late(demo: SyntheticPractice) -> None:
    gaps = []
    for rows in demo.bundle.group_by("treatment_plan_reviews", "client_id").values():
        days = sorted(row["reviewed_on"] for row in rows)
        gaps += [(b - a).days for a, b in pairwise(days)]
    assert 75 <= median(gaps) <= 90
    assert 0.03 < sum(gap > 90 for gap in gaps) / len(gaps) < 0.35


def test_most_high_risk_clients_have_safety_plans(demo: SyntheticPractice) -> None:
    planned = {note["client_id"] for note in demo.bundle["notes"] if note["type"] == "SAFETY_PLAN"}
    risky = [row["id"] for row in demo.bundle["clients"] if row["high_risk_since"]]
    assert len(risky) > 15
    assert 0.7 < mean(client in planned for client in risky) <= 1
    crises = {note["client_id"] for note in demo.bundle["notes"] if note["type"] == "CRISIS_INTERVENTION"}
    assert crises & set(risky)


def test_staff_are_hired_leave_take_trainings_and_are_away(demo: SyntheticPractice) -> None:
    start = min(row["starts_at"] for row in demo.bundle["appointments"]).date()
    staff = demo.bundle["staff"]
    assert any(row["left_on"] for row in staff if "clinician" in row["roles"])
    assert any(row["hired_on"] > start for row in staff if "clinician" in row["roles"])
    latest: dict[str, date] = {}
    for row in demo.bundle["trainings"]:
        if row["kind"] == "HIPAA":
            latest[row["staff_id"]] = max(row["completed_on"], latest.get(row["staff_id"], date.min))
    left = [
        365 - (demo.today - on).days for who, on in latest.items() if not demo.bundle.by_id["staff"][who]["left_on"]
    ]
    assert sum(0 <= days <= 30 for days in left) >= 1
    assert sum(days < 0 for days in left) == 1
    reasons = {row["reason"] for row in demo.bundle["availability_exceptions"]}
    assert {"Leave", "Sick", "Dentist", "Extra hour"} <= reasons
    assert any(row["ends_on"] for row in demo.bundle["availability"])
    signed_in = {(row["staff_id"], demo.to_local(row["at"]).date()) for row in demo.bundle["sign_ins"]}
    worked = {
        (row["clinician_id"], demo.to_local(row["starts_at"]).date()) for row in list_past(demo) if row["arrived_at"]
    }
    assert 0.9 < len(worked & signed_in) / len(worked) < 1
    assert len(demo.bundle["incidents"]) < 10


def test_names_and_texts_are_hard_to_read() -> None:
    practice = generate_practice(SUMMER)
    names = " ".join(f"{row['first_name']} {row['last_name']}" for row in practice.bundle["clients"])
    for odd in "'", ",", '"', "-", "ö":
        assert odd in names
    texts = [note["text"] for note in practice.bundle["notes"]]
    assert any("\n" in text for text in texts)
    assert any('"' in text for text in texts)
    assert len(set(texts)) > 0.8 * len(texts)
    assert all(row["phone"] is None or row["phone"][4:10] == "555-01" for row in practice.bundle["clients"])
    assert all(row["email"] is None or row["email"].endswith("@example.com") for row in practice.bundle["clients"])
