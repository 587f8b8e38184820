"""Consistency of a bundle: contradictions are reported with their location, and valid history is accepted."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.bundle.problems import Problem
from tests.support.builders.bundles import Rows, list_locations, load_sample_rows, read, read_refusal, write_folder

Change = tuple[str, int, dict[str, str]]

# changes (table, row, values) and the problems they cause (table, line, column)
INVALID: dict[str, tuple[list[Change], list[tuple[str, int, str]]]] = {
    "ends before it starts": (
        [("appointments", 0, {"ends_at": "2025-10-06T12:59:59Z"})],
        [("appointments", 2, "ends_at")],
    ),
    "no duration": ([("appointments", 0, {"ends_at": "2025-10-06T13:00:00Z"})], [("appointments", 2, "ends_at")]),
    "ends before it starts, by the offset": (
        [("appointments", 0, {"starts_at": "2025-10-06T09:00:00-05:00"})],
        [("appointments", 2, "ends_at")],
    ),
    "longer than a day": (
        [("appointments", 6, {"ends_at": "2026-04-02T13:45:01Z"})],
        [("appointments", 8, "ends_at")],
    ),
    "no hours": ([("supervision", 0, {"hours": "0.00"})], [("supervision", 2, "hours")]),
    "nothing refunded": ([("refunds", 0, {"amount": "0"})], [("refunds", 2, "amount")]),
    "window": ([("availability", 0, {"end_time": "09:00"})], [("availability", 2, "end_time")]),
    "window's dates": ([("availability", 1, {"ends_on": "2024-12-31"})], [("availability", 3, "ends_on")]),
    "exception": (
        [("availability_exceptions", 1, {"end_time": "08:00"})],
        [("availability_exceptions", 3, "end_time")],
    ),
    "opened without times": (
        [("availability_exceptions", 0, {"available": "true"})],
        [("availability_exceptions", 2, "start_time")],
    ),
    "one time of two": (
        [("availability_exceptions", 0, {"end_time": "10:00"}), ("availability_exceptions", 2, {"end_time": ""})],
        [("availability_exceptions", 2, "start_time"), ("availability_exceptions", 4, "end_time")],
    ),
    "left before the first day": ([("staff", 3, {"left_on": "2023-12-31"})], [("staff", 5, "left_on")]),
    "ended before admission": ([("clients", 2, {"ended_on": "2024-02-29"})], [("clients", 4, "ended_on")]),
    "ended for no reason": ([("clients", 2, {"end_reason": ""})], [("clients", 4, "end_reason")]),
    "reason without an end": ([("clients", 2, {"ended_on": ""})], [("clients", 4, "ended_on")]),
    "high risk": ([("clients", 0, {"high_risk_until": "2025-08-31"})], [("clients", 2, "high_risk_until")]),
    "high risk without a beginning": ([("clients", 0, {"high_risk_since": ""})], [("clients", 2, "high_risk_since")]),
    "coverage": ([("coverages", 1, {"ends_on": "2023-12-31"})], [("coverages", 3, "ends_on")]),
    "consent revoked first": (
        [("consents", 1, {"revoked_at": "2025-02-10T11:59:59Z"})],
        [("consents", 3, "revoked_at")],
    ),
    "consent expired first": (
        [("consents", 1, {"signed_at": "2025-02-11T05:00:00Z", "expires_on": "2025-02-10"})],
        [("consents", 3, "expires_on")],
    ),
    "responded first": (
        [("incidents", 0, {"responded_at": "2025-10-14T18:00:00Z"})],
        [("incidents", 2, "responded_at")],
    ),
    "claim": (
        [("claims", 0, {"submitted_at": "2025-10-30T12:00:00Z"})],
        [("claims", 2, "adjudicated_at"), ("claims", 2, "first_response_at")],
    ),
    "response without its time": ([("claims", 1, {"first_response_at": ""})], [("claims", 3, "first_response_at")]),
    "time without a response": ([("claims", 1, {"first_response": ""})], [("claims", 3, "first_response")]),
    "outcome without its time": ([("claims", 1, {"outcome": "PAID"})], [("claims", 3, "adjudicated_at")]),
    "time without an outcome": ([("claims", 0, {"outcome": ""})], [("claims", 2, "outcome")]),
    "completed, when?": ([("appointments", 0, {"status_at": ""})], [("appointments", 2, "status_at")]),
    "rescheduled, when?": ([("appointments", 1, {"status_at": ""})], [("appointments", 3, "status_at")]),
    "cancelled, when?": ([("appointments", 2, {"status_at": ""})], [("appointments", 4, "status_at")]),
    "no-show, when?": ([("appointments", 4, {"status_at": ""})], [("appointments", 6, "status_at")]),
    "completed before its time": (
        [("appointments", 0, {"status_at": "2025-10-06T12:44:59Z"})],
        [("appointments", 2, "status_at")],
    ),
    "missed before its time": (
        [("appointments", 4, {"status_at": "2025-10-08T12:44:59Z"})],
        [("appointments", 6, "status_at")],
    ),
    "moved to itself": ([("appointments", 1, {"rescheduled_to_id": "A2"})], [("appointments", 3, "rescheduled_to_id")]),
    "moved in a circle": (
        [("appointments", 2, {"rescheduled_to_id": "A7"}), ("appointments", 6, {"rescheduled_to_id": "A3"})],
        [
            ("appointments", 4, "rescheduled_to_id"),
            ("appointments", 8, "rescheduled_to_id"),
        ],
    ),
    "signed by nobody": (
        [("notes", 0, {"signed_at": "", "signed_by_id": ""})],
        [("notes", 2, "signed_at"), ("notes", 2, "signed_by_id")],
    ),
    "amended, when?": ([("notes", 2, {"signed_at": ""})], [("notes", 6, "signed_at")]),
    "a signed draft": (
        [("notes", 1, {"signed_at": "2025-10-09T15:00:00Z"}), ("notes", 3, {"signed_by_id": "BOS"})],
        [("notes", 5, "signed_at"), ("notes", 7, "signed_by_id")],
    ),
    "nobody paid": ([("payments", 1, {"client_id": ""})], [("payments", 3, "client_id")]),
    "supervises themselves": ([("supervision", 0, {"supervisor_id": "CLI"})], [("supervision", 2, "supervisor_id")]),
    "own supervisor": ([("staff", 0, {"supervisor_id": "ADM"})], [("staff", 2, "supervisor_id")]),
    "supervisors in a circle": (
        [("staff", 0, {"supervisor_id": "BOS"}), ("staff", 1, {"supervisor_id": "ADM"})],
        [("staff", 2, "supervisor_id"), ("staff", 3, "supervisor_id")],
    ),
    "another's note": ([("notes", 0, {"client_id": "K2"})], [("notes", 2, "appointment_id")]),
    "another's charge": ([("charges", 0, {"appointment_id": "A5"})], [("charges", 2, "appointment_id")]),
    "another's coverage": ([("claims", 0, {"coverage_id": "V2"})], [("claims", 2, "coverage_id")]),
    "another's claim": ([("claims", 0, {"charge_ids": "H1|H3"})], [("claims", 2, "charge_ids")]),
    "too much applied": (
        [("payment_applications", 0, {"amount": "80.01"})],
        [("payments", 2, "amount")],
    ),
    "too much refunded": ([("refunds", 1, {"amount": "10.01"})], [("payments", 2, "amount")]),
    "more applied than received, less what the payer added": (
        [("payments", 0, {"provider_adjustments": "-0.01"})],
        [("payments", 2, "amount")],
    ),
    "more applied than the payer kept": (
        [("payment_applications", 3, {"payment_id": "Y3", "amount": "12.51"})],
        [("payments", 4, "amount")],
    ),
    "more taken back than applied": (
        [("payment_applications", 2, {"amount": "-30.01"})],
        [("payment_applications", 4, "amount")],
    ),
    "same id twice": ([("rooms", 1, {"id": "R1"}), ("appointments", 5, {"room_id": "R1"})], [("rooms", 3, "id")]),
    "same code twice": ([("services", 1, {"code": "COU45"})], [("services", 3, "code")]),
    "same email twice": ([("staff", 2, {"email": "ADA@oak.example"})], [("staff", 4, "email")]),
    "same control number twice": ([("claims", 2, {"control_number": "PCN1"})], [("claims", 4, "control_number")]),
    "two closures": ([("closures", 1, {"date": "2025-11-27"})], [("closures", 3, "date")]),
    "two rates": ([("rates", 1, {"effective_on": "2025-11-29"})], [("rates", 3, "staff_id")]),
    "seats with two clinicians": (
        [("appointments", 4, {"clinician_id": "CLI"})],
        [("appointments", 6, "clinician_id")],
    ),
    "seats in two rooms": ([("appointments", 4, {"room_id": "R2"})], [("appointments", 6, "room_id")]),
    "a seat without the room": ([("appointments", 4, {"room_id": ""})], [("appointments", 6, "room_id")]),
    "seats of two lengths": (
        [("appointments", 4, {"ends_at": "2025-10-08T14:00:00Z"})],
        [("appointments", 6, "ends_at")],
    ),
    "two seats of one client": (
        [("appointments", 4, {"client_id": "K1", "status": "CHECKED_IN"})],
        [("appointments", 6, "client_id")],
    ),
}


def change_rows(changes: list[Change]) -> Rows:
    rows = load_sample_rows()
    for table, row, values in changes:
        rows[table][row] |= values
    if any(table == "services" for table, _, _ in changes):
        for appointment in rows["appointments"]:
            appointment["service_code"] = "COU45"
    return rows


@pytest.mark.parametrize(("changes", "expected"), INVALID.values(), ids=INVALID)
def test_a_contradiction_is_reported_with_its_location(
    tmp_path: Path, changes: list[Change], expected: list[tuple[str, int, str]]
) -> None:
    locations = list_locations(write_folder(tmp_path, change_rows(changes)))
    assert locations == [(f"{table}.csv", line, column) for table, line, column in expected]


def test_several_contradictions_are_reported_together(tmp_path: Path) -> None:
    names = [
        "no duration",
        "own supervisor",
        "too much applied",
        "signed by nobody",
        "two closures",
        "seats in two rooms",
    ]
    rows = change_rows([change for name in names for change in INVALID[name][0]])
    locations = list_locations(write_folder(tmp_path, rows))
    assert sorted(locations) == sorted((f"{t}.csv", line, c) for name in names for t, line, c in INVALID[name][1])


def set_to(table: str, row: int, **values: str) -> Callable[[Rows], None]:
    return lambda rows: rows[table][row].update(values)


def apply_without_refund(row: int, **values: str) -> Callable[[Rows], None]:
    """Change an application of the insurer's payment, of which nothing is refunded then."""

    def change(rows: Rows) -> None:
        rows["payment_applications"][row].update(values)
        rows["refunds"].pop(1)

    return change


VALID = {
    "signed and revoked at the same time": set_to("consents", 1, revoked_at="2025-02-10T12:00:00Z"),
    "expires on the day of the signature, in the practice's zone": set_to(
        "consents", 1, signed_at="2025-02-11T04:59:00Z", expires_on="2025-02-10"
    ),
    "a coverage of one day": set_to("coverages", 1, ends_on="2024-01-01"),
    "left on the first day": set_to("staff", 3, left_on="2024-01-01"),
    "a payment of which more was taken back in the meantime": set_to(
        "payment_applications", 2, posted_at="2025-10-01T12:00:00Z"
    ),
    "an application taken back in full": set_to("payment_applications", 2, amount="-30.00"),
    "an application taken back by another payment": apply_without_refund(2, payment_id="Y3"),
    "an application taken back by a client's payment": apply_without_refund(2, payment_id="Y2"),
    "money that the payer kept, applied": apply_without_refund(2, payment_id="Y3", amount="12.50"),
    "a note written after it was signed, elsewhere": set_to("notes", 0, created_at="2025-10-07T15:00:00Z"),
    "cancelled before the visit": set_to("appointments", 0, status="CANCELLED", status_at="2025-10-01T15:00:00Z"),
    "completed as early as sessions start": set_to("appointments", 0, status_at="2025-10-06T12:45:00Z"),
    "booked after it was over": set_to("appointments", 0, created_at="2025-11-01T15:00:00Z"),
    "more seats than the room has": set_to("rooms", 0, capacity="1"),
    "a client who ended long ago": set_to("appointments", 5, client_id="K3"),
    "seats of two services": set_to("appointments", 4, service_code="COU45"),
    "with somebody who is not a clinician": set_to("appointments", 0, clinician_id="ADM"),
    "charged under another clinician": set_to("charges", 0, clinician_id="BOS"),
    "an invalid NPI": set_to("staff", 1, npi="0000000000"),
    "a closed day that is worked": set_to("closures", 0, date="2025-10-06"),
    "a cancelled seat beside a new one": lambda rows: rows["appointments"].append(
        rows["appointments"][3] | {"id": "A8", "status": "CANCELLED"}
    ),
}


@pytest.mark.parametrize("change", VALID.values(), ids=VALID)
def test_what_history_may_contain_is_accepted(tmp_path: Path, change: Callable[[Rows], None]) -> None:
    rows = load_sample_rows()
    change(rows)
    assert len(read(write_folder(tmp_path, rows)).frames["appointments"]) == len(rows["appointments"])


def make_overlapping_rows() -> Rows:
    """Return rows with a long appointment over two short ones of the same clinician."""
    rows = load_sample_rows()
    first = rows["appointments"][0] | {"status_at": "2025-12-01T13:00:00Z"}
    rows["appointments"] += [
        first | {"id": "B1", "starts_at": "2025-12-01T09:00:00Z", "ends_at": "2025-12-01T12:00:00Z", "room_id": ""},
        first | {"id": "B2", "client_id": "K2", "starts_at": "2025-12-01T09:30:00Z", "ends_at": "2025-12-01T10:00:00Z"},
        first | {"id": "B3", "client_id": "K3", "starts_at": "2025-12-01T11:00:00Z", "ends_at": "2025-12-01T12:30:00Z"},
    ]
    return rows


def test_overlaps_are_reported_with_both_ids_and_lines(tmp_path: Path) -> None:
    refusal = read_refusal(write_folder(tmp_path, make_overlapping_rows()))
    assert refusal.problems == [
        Problem("appointments.csv", 10, "clinician_id", "This overlaps B1 on line 9, for the same clinician."),
        Problem("appointments.csv", 11, "clinician_id", "This overlaps B1 on line 9, for the same clinician."),
    ]


def test_overlaps_of_clients_and_rooms_are_reported(tmp_path: Path) -> None:
    rows = load_sample_rows()
    rows["appointments"][5] |= {"clinician_id": "BOS", "room_id": "R1", "ends_at": "2026-04-01T13:50:00Z"}
    assert list_locations(write_folder(tmp_path, rows)) == [("appointments.csv", 8, "room_id")]
    rows["appointments"][5] |= {"client_id": "K1", "room_id": ""}
    assert list_locations(write_folder(tmp_path, rows)) == [("appointments.csv", 8, "client_id")]


def test_past_overlaps_can_be_allowed_and_are_marked(tmp_path: Path) -> None:
    rows = make_overlapping_rows()
    frame = read(write_folder(tmp_path, rows), allow_overlaps=True).frames["appointments"]
    assert frame.filter("overlap_allowed")["id"].to_list() == ["B1", "B2", "B3"]
    rows["appointments"][5]["ends_at"] = "2026-04-01T14:00:00Z"  # over the next one, and both are in the future
    rows["appointments"][5]["room_id"] = "R1"
    assert list_locations(write_folder(tmp_path, rows), allow_overlaps=True) == [
        ("appointments.csv", 8, "clinician_id"),
        ("appointments.csv", 8, "room_id"),
    ]


def test_an_overlap_with_a_future_appointment_is_not_allowed(tmp_path: Path) -> None:
    rows = load_sample_rows()
    # it is 15:30
    rows["appointments"][5] |= {"starts_at": "2026-03-18T15:00:00Z", "ends_at": "2026-03-18T17:00:00Z"}
    rows["appointments"][6] |= {"starts_at": "2026-03-18T15:30:00Z", "ends_at": "2026-03-18T16:00:00Z"}
    assert list_locations(write_folder(tmp_path, rows), allow_overlaps=True) == [
        ("appointments.csv", 8, "clinician_id")
    ]
    rows["appointments"][6] |= {"starts_at": "2026-03-18T15:29:59Z"}
    assert read(write_folder(tmp_path, rows), allow_overlaps=True).frames["appointments"]["overlap_allowed"].sum() == 2


def test_seats_of_a_group_overlap_other_appointments_but_not_each_other(tmp_path: Path) -> None:
    rows = load_sample_rows()
    rows["appointments"][4] |= {"status": "IN_PROGRESS"}
    read(write_folder(tmp_path, rows))
    alone = {"id": "B1", "client_id": "K3", "starts_at": "2025-10-08T14:00:00Z", "ends_at": "2025-10-08T16:00:00Z"}
    rows["appointments"].append(rows["appointments"][3] | alone | {"group_id": "", "room_id": ""})
    assert list_locations(write_folder(tmp_path, rows)) == [("appointments.csv", 9, "clinician_id")]
    frame = read(write_folder(tmp_path, rows), allow_overlaps=True).frames["appointments"]
    assert frame.filter("overlap_allowed")["id"].to_list() == ["A4", "A5", "B1"]
