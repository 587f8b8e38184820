"""Synthetic practices follow the documented format and are consistent, for any size, time zone and end."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingest.synthetic import Size, generate
from practice.people.rules.npi import is_valid_npi
from practice.people.rules.practices import practice_problems
from tests.support.drivers.synthetic import PRACTICES, SyntheticPractice, generate_practice
from tests.support.oracles.bundle_checker import FINAL, Row

INACTIVE = ("CANCELLED", "RESCHEDULED", "NO_SHOW")
PLANS = ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY")


@pytest.fixture(params=list(PRACTICES))
def practice(request: pytest.FixtureRequest) -> SyntheticPractice:
    return generate_practice(request.param)


def list_active(practice: SyntheticPractice) -> list[Row]:
    return [row for row in practice.bundle["appointments"] if row["status"] not in INACTIVE]


def list_sessions(rows: Iterable[Row]) -> list[Row]:
    """Return one row for each session: the seats of a group share one."""
    return list({row["group_id"] or row["id"]: row for row in rows}.values())


def find_overlaps(rows: Iterable[Row], resource: str) -> list[tuple[str, str]]:
    by_resource = defaultdict(list)
    for row in rows:
        if row[resource]:
            by_resource[row[resource]].append(row)
    overlaps = []
    for rows_of_resource in by_resource.values():
        rows_of_resource.sort(key=lambda row: row["starts_at"])
        overlaps += [(a["id"], b["id"]) for a, b in pairwise(rows_of_resource) if b["starts_at"] < a["ends_at"]]
    return overlaps


def test_every_cell_reads_and_every_reference_resolves(practice: SyntheticPractice) -> None:
    assert practice.bundle.problems == []
    assert practice.bundle.unknown_files == []


def test_the_result_counts_the_rows_of_each_file(practice: SyntheticPractice) -> None:
    assert practice.counts == {f"{file}.csv": len(rows) for file, rows in practice.bundle.rows.items()}
    assert practice.counts["clients.csv"] == practice.size.clients
    assert practice.counts["practice.csv"] == 1


def test_names_and_numbers_that_must_be_unique_are(practice: SyntheticPractice) -> None:
    for file, column in (("staff", "email"), ("claims", "control_number"), ("rooms", "name"), ("closures", "date")):
        values = [row[column] for row in practice.bundle[file]]
        assert len(values) == len(set(values)), (file, column)
    ranks = [(row["client_id"], row["rank"], row["effective_on"]) for row in practice.bundle["coverages"]]
    assert len(ranks) == len(set(ranks))


def test_rows_are_in_the_order_of_their_ids(practice: SyntheticPractice) -> None:
    for file, rows in practice.bundle.rows.items():
        key = {"practice": "name", "services": "code", "closures": "date", "rates": "kind"}.get(file, "id")
        if file != "rates":
            ids = [row[key] for row in rows]
            assert ids == sorted(ids), file


def test_npis_and_the_practice_are_valid(practice: SyntheticPractice) -> None:
    [row] = practice.bundle["practice"]
    assert practice_problems(row["name"], row["time_zone"], row["npi"]) == []
    assert all(is_valid_npi(row["npi"]) for row in practice.bundle["staff"] if row["npi"])


@pytest.mark.parametrize("resource", ["clinician_id", "client_id", "room_id"])
def test_no_two_active_appointments_overlap(practice: SyntheticPractice, resource: str) -> None:
    rows = list_active(practice)
    assert find_overlaps(rows if resource == "client_id" else list_sessions(rows), resource) == []


def test_a_time_is_booked_again_only_after_it_was_released(practice: SyntheticPractice) -> None:
    # at no time in the past were two clients booked for the same time
    free = {"CANCELLED", "RESCHEDULED"}
    for appointments in practice.bundle.group_by("appointments", "clinician_id").values():
        rows = sorted(appointments, key=lambda row: row["starts_at"])
        for index, row in enumerate(rows):
            for other in rows[index + 1 : index + 20]:
                if other["starts_at"] >= row["ends_at"]:
                    break
                if row["group_id"] is None or row["group_id"] != other["group_id"]:
                    assert row["status"] in free or other["status"] in free
                    released_at = min(r["status_at"] for r in (row, other) if r["status"] in free)
                    assert released_at <= max(row["created_at"], other["created_at"]), (row, other)


def test_seats_of_a_group_share_clinician_room_and_times(practice: SyntheticPractice) -> None:
    capacity = {row["id"]: row["capacity"] for row in practice.bundle["rooms"]}
    shared = ("clinician_id", "room_id", "starts_at", "ends_at", "service_code", "type")
    for group, seats in practice.bundle.group_by("appointments", "group_id").items():
        if group:
            assert len({tuple(seat[column] for column in shared) for seat in seats}) == 1
            assert len(seats) <= min(8, capacity[seats[0]["room_id"]])
            assert len(seats) >= 3 or seats[0]["starts_at"] > practice.until  # future groups are still filling up
            assert len({seat["client_id"] for seat in seats}) == len(seats)


def test_statuses_and_times_agree(practice: SyntheticPractice) -> None:
    for row in practice.bundle["appointments"]:
        starts, ends, at = row["starts_at"], row["ends_at"], row["status_at"]
        assert row["created_at"] < starts < ends, row
        assert (at is not None) == (row["status"] in FINAL), row
        assert at is None or at >= row["created_at"], row
        is_consistent = {
            "COMPLETED": lambda row: row["status_at"] >= row["ends_at"],
            "NO_SHOW": lambda row: row["status_at"] > row["starts_at"],
            "CANCELLED": lambda row: row["status_at"] <= row["starts_at"] and row["cancellation_reason"],
            "RESCHEDULED": lambda row: row["status_at"] <= row["starts_at"] and row["rescheduled_to_id"],
            "CONFIRMED": lambda row: row["starts_at"] > practice.until,
            "SCHEDULED": lambda row: True,
            "CHECKED_IN": lambda row: row["starts_at"] <= practice.until,
            "IN_PROGRESS": lambda row: row["starts_at"] <= practice.until,
        }
        assert is_consistent[row["status"]](row), row
        if row["arrived_at"]:
            assert row["status"] in ("COMPLETED", "CHECKED_IN", "IN_PROGRESS"), row
            assert row["ready_at"] is None or row["ready_at"] >= row["arrived_at"], row
        assert not (row["telehealth"] and row["room_id"]), row


def test_a_moved_appointment_points_to_the_new_one_made_at_that_moment(practice: SyntheticPractice) -> None:
    moved = [row for row in practice.bundle["appointments"] if row["rescheduled_to_id"]]
    assert all(row["status"] == "RESCHEDULED" for row in moved)
    for row in moved:
        new = practice.bundle.by_id["appointments"][row["rescheduled_to_id"]]
        same = ("client_id", "clinician_id", "service_code")
        assert [row[column] for column in same] == [new[column] for column in same]
        assert new["created_at"] == row["status_at"]


def test_only_plans_and_expirations_are_after_the_end(practice: SyntheticPractice) -> None:
    planned = {"starts_at", "ends_at", "expires_on", "ends_on", "date"}
    for file, rows in practice.bundle.rows.items():
        for row in rows:
            for column, value in row.items():
                if isinstance(value, datetime) and column not in planned:
                    assert value <= practice.until, (file, column, row)
                elif isinstance(value, date) and not isinstance(value, datetime) and column not in planned:
                    assert value <= practice.today, (file, column, row)
    last = max(row["starts_at"] for row in practice.bundle["appointments"])
    assert last < practice.until + timedelta(weeks=practice.size.weeks_ahead + 1)


def test_sessions_are_within_availability(practice: SyntheticPractice) -> None:
    windows = practice.bundle.group_by("availability", "clinician_id")
    exceptions: dict[Any, list[Row]] = defaultdict(list)
    for row in practice.bundle["availability_exceptions"]:
        exceptions[row["clinician_id"], row["date"]].append(row)
    closed = {row["date"] for row in practice.bundle["closures"]}
    staff = practice.bundle.by_id["staff"]
    for row in list_sessions(list_active(practice)):
        starts, ends = practice.to_local(row["starts_at"]), practice.to_local(row["ends_at"])
        on, clinician = starts.date(), row["clinician_id"]
        assert on not in closed, row
        assert staff[clinician]["hired_on"] <= on < (staff[clinician]["left_on"] or date.max), row
        offered = [
            (window["start_time"], window["end_time"])
            for window in windows[clinician]
            if int(window["weekday"]) == starts.isoweekday() % 7
            and (window["effective_on"] or date.min) <= on <= (window["ends_on"] or date.max)
        ]
        for other in exceptions[clinician, on]:
            if other["available"]:
                offered.append((other["start_time"], other["end_time"]))
            else:
                away = other["start_time"] or "00:00", other["end_time"] or "24:00"
                assert f"{ends:%H:%M}" <= away[0] or f"{starts:%H:%M}" >= away[1], row
        assert any(a <= f"{starts:%H:%M}" and f"{ends:%H:%M}" <= b for a, b in offered), row


def test_notes_are_for_completed_visits_and_signed_by_somebody(practice: SyntheticPractice) -> None:
    appointments = practice.bundle.by_id["appointments"]
    for note in practice.bundle["notes"]:
        assert (note["signed_at"] is not None) == (note["status"] in ("SIGNED", "AMENDED")), note
        assert (note["signed_by_id"] is not None) == (note["signed_at"] is not None), note
        assert note["signed_at"] is None or note["created_at"] <= note["signed_at"], note
        if note["appointment_id"]:
            visit = appointments[note["appointment_id"]]
            assert (visit["client_id"], visit["clinician_id"]) == (note["client_id"], note["clinician_id"])
            assert visit["status"] == "COMPLETED", note
            assert note["created_at"] >= visit["starts_at"], note
            assert note["type"] not in PLANS


def test_charges_are_for_completed_visits_and_claims_for_signed_ones(practice: SyntheticPractice) -> None:
    bundle = practice.bundle
    services, appointments, charges = bundle.by_id["services"], bundle.by_id["appointments"], bundle.by_id["charges"]
    signed: dict[str, datetime] = {}
    for note in bundle["notes"]:
        if note["signed_at"] and note["appointment_id"]:
            signed[note["appointment_id"]] = min(
                note["signed_at"], signed.get(note["appointment_id"], note["signed_at"])
            )
    for charge in bundle["charges"]:
        assert 1 <= len(charge["diagnoses"]) <= 12
        if charge["appointment_id"]:
            visit = appointments[charge["appointment_id"]]
            assert visit["status"] == "COMPLETED"
            assert visit["client_id"] == charge["client_id"]
            assert charge["created_at"] >= visit["status_at"]
            assert charge["service_date"] == practice.to_local(visit["starts_at"]).date()
            assert charge["amount"] == services[visit["service_code"]]["rate"] * charge["units"]
    for claim in bundle["claims"]:
        coverage = bundle.by_id["coverages"][claim["coverage_id"]]
        assert coverage["client_id"] == claim["client_id"]
        for charge_id in claim["charge_ids"]:
            charge = charges[charge_id]
            assert charge["client_id"] == claim["client_id"]
            assert charge["voided_at"] is None
            assert coverage["effective_on"] <= charge["service_date"] <= (coverage["ends_on"] or date.max)
            assert signed[charge["appointment_id"]] <= claim["submitted_at"]
        times = [claim[column] for column in ("submitted_at", "first_response_at", "adjudicated_at")]
        happened = [at for at in times if at]
        assert happened == sorted(happened)
        assert (claim["outcome"] is None) == (claim["adjudicated_at"] is None)
        assert claim["first_response"] != "REJECTED" or claim["outcome"] is None


def test_money_is_spent_once(practice: SyntheticPractice) -> None:
    bundle = practice.bundle
    payers = {row["payer_id"] for row in bundle["coverages"]}
    spent: dict[str, Decimal] = defaultdict(Decimal)
    lowered: dict[str, Decimal] = defaultdict(Decimal)
    for row in bundle["payment_applications"]:
        payment, charge = bundle.by_id["payments"][row["payment_id"]], bundle.by_id["charges"][row["charge_id"]]
        spent[row["payment_id"]] += row["amount"]
        lowered[row["charge_id"]] += row["amount"]
        assert spent[row["payment_id"]] >= 0
        assert row["posted_at"] >= max(payment["posted_at"], charge["created_at"])
        assert payment["client_id"] in (None, charge["client_id"])
        assert charge["voided_at"] is None
    for row in bundle["refunds"]:
        spent[row["payment_id"]] += row["amount"]
    for row in bundle["adjustments"]:
        lowered[row["charge_id"]] += row["amount"]
        assert row["posted_at"] >= bundle.by_id["charges"][row["charge_id"]]["created_at"]
    for payment in bundle["payments"]:
        assert payment["amount"] > 0
        assert spent[payment["id"]] <= payment["amount"]
        assert (payment["client_id"] is None) == (payment["payer"] == "INSURANCE")
        assert payment["payer_id"] in (payers if payment["payer"] == "INSURANCE" else {None})
    overpaid = [row for row in bundle["charges"] if lowered[row["id"]] > row["amount"]]
    assert len(overpaid) <= max(3, len(bundle["charges"]) // 1000)


def test_records_of_a_client_match_the_client(practice: SyntheticPractice) -> None:
    clients, staff = practice.bundle.by_id["clients"], practice.bundle.by_id["staff"]
    for client in clients.values():
        assert client["birth_date"] < client["admitted_on"]
        assert client["ended_on"] is None or client["ended_on"] > client["admitted_on"]
        assert (client["ended_on"] is None) == (client["end_reason"] is None)
    for row in list_active(practice):
        client, on = clients[row["client_id"]], practice.to_local(row["starts_at"]).date()
        assert client["admitted_on"] <= on < (client["ended_on"] or date.max)
        assert practice.to_local(row["created_at"]).date() >= client["admitted_on"]
    for row in practice.bundle["treatment_plan_reviews"]:
        clinician = staff[row["clinician_id"]]
        assert clinician["hired_on"] <= row["reviewed_on"] < (clinician["left_on"] or date.max)
    for row in practice.bundle["consents"]:
        assert practice.to_local(row["signed_at"]).date() >= clients[row["client_id"]]["admitted_on"]
        assert row["revoked_at"] is None or row["revoked_at"] > row["signed_at"]


def test_supervisors_supervise_and_trainings_follow_hiring(practice: SyntheticPractice) -> None:
    staff = practice.bundle.by_id["staff"]
    for row in staff.values():
        assert row["supervisor_id"] is None or "supervisor" in staff[row["supervisor_id"]]["roles"]
        assert ("clinician" in row["roles"]) == (row["base_pay_rate"] is not None)
    for row in practice.bundle["supervision"]:
        assert staff[row["supervisee_id"]]["supervisor_id"] == row["supervisor_id"]
    for row in practice.bundle["trainings"]:
        assert row["completed_on"] >= staff[row["staff_id"]]["hired_on"]


def test_the_same_seed_makes_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    size, until = Size("Thistle", "America/New_York", 3, 60, 4), datetime(2025, 4, 1, 9, tzinfo=UTC)
    for name, seed in (("one", 7), ("again", 7), ("other", 8)):
        generate(tmp_path / name, size, seed, until)
    one, again, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "again", "other")
    )
    assert one == again
    assert all(one[f"{file}.csv"] != other[f"{file}.csv"] for file in ("staff", "clients", "appointments", "notes"))


@pytest.mark.parametrize(("appointments", "least", "most"), [(1_000, 700, 1_400), (6_000, 4_800, 7_200)])
def test_a_size_gives_about_as_many_appointments_as_estimated(
    tmp_path: Path, appointments: int, least: int, most: int
) -> None:
    for seed in (1, 2, 3):
        counts = generate(tmp_path, Size.estimate(appointments), seed, datetime(2026, 3, 18, tzinfo=UTC))
        assert least <= counts["appointments.csv"] <= most


def test_a_million_appointments_need_about_a_hundred_clinicians() -> None:
    size = Size.estimate(1_000_000)
    assert 90 <= size.clinicians <= 120
    assert size.months == 60
    assert 20_000 <= size.clients <= 35_000
    assert Size.estimate(1_000_000, clients=100_000).clients == 100_000


def test_more_clients_than_places_wait_and_give_up(tmp_path: Path) -> None:
    counts = generate(tmp_path, Size("Reed", "UTC", 2, 2_000, 6), 1, datetime(2026, 1, 1, tzinfo=UTC))
    assert counts["clients.csv"] == 2_000
    assert counts["appointments.csv"] > 1_000


def test_progress_is_reported(tmp_path: Path) -> None:
    lines: list[str] = []
    generate(tmp_path, Size("Reed", "UTC", 1, 10, 6), 1, datetime(2026, 1, 1, tzinfo=UTC), lines.append)
    assert any("appointments so far" in line for line in lines)


def test_an_empty_size_and_an_end_without_a_time_zone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one clinician"):
        Size("Nobody", "UTC", 0, 1, 1)
    with pytest.raises(ValueError, match="time zone"):
        generate(tmp_path, Size("Reed", "UTC", 1, 10, 1), 1, datetime(2026, 1, 1))  # noqa: DTZ001
