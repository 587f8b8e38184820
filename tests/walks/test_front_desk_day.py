"""A day at the front desk over HTTP: what is stored, and what each person sees of it in the end."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from fastapi.testclient import TestClient

from tests.support.builders.notes import fill_sections
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_room, make_service
from tests.support.drivers.booking import local
from tests.support.drivers.walks import Walk

THURSDAY = date(2026, 3, 19)
MONDAY = date(2026, 3, 23)
WEEK = timedelta(days=7)
RECORD = {
    **{"last_name": "Example", "address": "1 Sample Way", "city": "Atlanta", "state": "GA", "zip": "30301"},
    **{"phone": "404-555-0100", "emergency_contact_name": "Kin Example", "emergency_contact_phone": "404-555-0101"},
    "self_pay": True,
}
CHILD = RECORD | {"first_name": "Casey", "birth_date": "2016-04-02"}
GUARDIAN = {"guardian_name": "Pat Example", "guardian_email": "pat@example.com"}


def add_adult(walk: Walk, first_name: str) -> str:
    """Add an adult client who has signed the informed consent, and return the id."""
    fields = {"first_name": first_name, "birth_date": "1990-05-17", "email": f"{first_name.lower()}@example.com"}
    fields["primary_clinician_id"] = walk.clinician.staff_id
    client_id = walk.create(walk.scheduler, "/clients", **RECORD | fields)["id"]
    walk.create(walk.scheduler, f"/clients/{client_id}/consents", kind="INFORMED_TREATMENT")
    return client_id


def list_visits(walk: Walk, by: Any, query: str = "") -> dict[str, str]:
    """Return the statuses of the appointments that a person sees, by reference."""
    items = walk.get(by, f"/appointments?limit=100{query}")["items"]
    return {item["reference"]: item["status"] for item in items}


def test_a_day_at_the_front_desk(client: TestClient, practice: PracticeFixture) -> None:
    make_service(practice, "TALK")
    room = make_room(practice)
    walk = Walk(client, practice, THURSDAY)
    scheduler, clinician = walk.scheduler, walk.clinician

    # A child is admitted, with a guardian who can be reached by email only
    walk.at(8, 30)
    new = CHILD | {"primary_clinician_id": clinician.staff_id}
    assert walk.refuse(scheduler, "/clients", 422, **new) == "VALIDATION_ERROR"
    assert walk.refuse(scheduler, "/clients", 403, **new | GUARDIAN, high_risk_since=THURSDAY) == "FORBIDDEN"
    child = walk.create(scheduler, "/clients", **new | GUARDIAN)["id"]

    # Without consents there is no series; the guardian signs
    booking = {"client_id": child, "clinician_id": clinician.staff_id, "service_code": "TALK"}
    weekly = {"starts_at": local(THURSDAY + WEEK, 10), "rule": "FREQ=WEEKLY;COUNT=4"}
    assert walk.refuse(scheduler, "/appointments/series", **booking | weekly) == "CONSENT_MISSING"
    consents = f"/clients/{child}/consents"
    by_the_child = {"kind": "INFORMED_TREATMENT", "signed_by_name": "Casey Example"}
    assert walk.refuse(scheduler, consents, 422, **by_the_child) == "VALIDATION_ERROR"
    for kind in ("INFORMED_TREATMENT", "GUARDIAN"):
        assert walk.create(scheduler, consents, kind=kind)["signed_by_name"] == "Pat Example"

    # Bookings: the child's first visit today and a series, two visits of an adult, and somebody who waits
    walk.at(8, 40)
    booked = walk.create(scheduler, "/appointments", **booking, starts_at=local(THURSDAY, 10), room_id=room)
    assert (booked["amount"], booked["payment_required"], booked["warnings"]) == ("150.00", True, [])
    visit = booked["appointment"]
    series = walk.create(scheduler, "/appointments/series", **booking | weekly)
    assert [occurrence["status"] for occurrence in series["occurrences"]] == ["booked"] * 4
    jordan, avery = add_adult(walk, "Jordan"), add_adult(walk, "Avery")
    walk.at(8, 50)
    missed, freed = (
        walk.create(scheduler, "/appointments", **booking | {"client_id": jordan, "starts_at": start})["appointment"]
        for start in (local(THURSDAY, 11), local(MONDAY, 14))
    )
    taken = booking | {"client_id": avery, "starts_at": local(THURSDAY, 10)}
    assert walk.refuse(scheduler, "/appointments", **taken) == "SLOT_TAKEN"
    entry = walk.create(scheduler, "/waitlist", client_id=avery, clinician_ids=[clinician.staff_id])

    # A wrong click is corrected, and the child is checked in
    walk.at(9, 50)
    walk.post(scheduler, f"/appointments/{missed['id']}/check-in")
    mistake = {"from_status": "CHECKED_IN", "reason": "Clicked the wrong line"}
    assert walk.post(scheduler, f"/appointments/{missed['id']}/revert", **mistake)["status"] == "SCHEDULED"
    next_week = series["occurrences"][0]["appointment_id"]
    assert walk.refuse(scheduler, f"/appointments/{next_week}/check-in") == "WRONG_STATUS"
    walk.at(9, 51)
    assert walk.post(scheduler, f"/appointments/{visit['id']}/check-in")["outstanding_items"] == []

    # The clinician holds the session and begins its note
    walk.post(clinician, f"/appointments/{visit['id']}/ready")
    walk.at(10)
    walk.post(clinician, f"/appointments/{visit['id']}/start")
    walk.at(10, 50)
    note = {"type": "PROGRESS_NOTE", "sections": fill_sections("PROGRESS_NOTE", "Drew a tree.")}
    done = walk.post(clinician, f"/appointments/{visit['id']}/complete", clinical_note=note)
    assert (done["status"], done["price"], done["actual_minutes"]) == ("COMPLETED", "150.00", 50)

    # The adult does not come, and cancels the next visit in the portal; who waits takes the time
    walk.at(11, 20)
    assert walk.post(scheduler, f"/appointments/{missed['id']}/no-show")["status"] == "NO_SHOW"
    walk.at(11, 30)
    jordan_online = walk.open_portal(jordan, "jordan@example.com")
    walk.post(jordan_online, f"/appointments/{freed['id']}/cancel")
    [offer] = walk.get(scheduler, f"/waitlist/{entry['id']}/offers")["items"]
    assert offer["status"] == "OPEN"
    walk.at(11, 40)
    moved_up = walk.create(scheduler, f"/waitlist/offers/{offer['id']}/take")["appointment"]
    assert (moved_up["client_id"], moved_up["starts_at"]) == (avery, freed["starts_at"])

    # What is stored
    walk.at(12)
    rows = walk.load_rows("select client_id, status from appointments where tenant_id = :tenant_id")
    assert Counter((str(row.client_id), row.status) for row in rows) == {
        (child, "COMPLETED"): 1,
        (child, "SCHEDULED"): 4,
        (jordan, "NO_SHOW"): 1,
        (jordan, "CANCELLED"): 1,
        (avery, "SCHEDULED"): 1,
    }
    assert walk.get(scheduler, f"/waitlist/{entry['id']}")["status"] == "BOOKED"
    history = walk.get(scheduler, f"/appointments/{missed['id']}/status-history")["items"]
    assert [step["status"] for step in history] == ["SCHEDULED", "CHECKED_IN", "SCHEDULED", "NO_SHOW"]
    assert history[2]["note"] == "Clicked the wrong line"
    signed = walk.load_rows(
        "select signed_by_name from consents where tenant_id = :tenant_id and client_id = :id", id=child
    )
    assert {row.signed_by_name for row in signed} == {"Pat Example"}
    messages = walk.load_rows("select * from messages where tenant_id = :tenant_id and client_id is not null")
    of_child = [message for message in messages if str(message.client_id) == child]
    assert {message.channel for message in of_child} == {"email"}  # the guardian's; the record has none of the child
    kinds = Counter((message.kind, message.status) for message in of_child)
    assert kinds[("REMINDER", "PLANNED")] == 12  # three for each visit of the series
    assert [message.status for message in messages if message.kind == "NO_SHOW_FOLLOW_UP"] == ["PLANNED"]
    assert [str(message.client_id) for message in messages if message.kind == "WAITLIST_OFFER"] == [avery]
    completions = walk.load_rows("select id from session_completions where tenant_id = :tenant_id")
    assert [str(row.id) for row in completions] == [visit["id"]]
    for action, number in (
        *(("client.added", 3), ("consent.signed", 4), ("appointment.booked", 4), ("series.booked", 1)),
        *(("appointment.checked_in", 2), ("appointment.reverted", 1), ("appointment.completed", 1)),
        *(("appointment.no_show", 1), ("appointment.cancelled", 1), ("waitlist.offer_taken", 1)),
    ):
        assert len(walk.load_audit_entries(action)) == number, action

    # What each person sees
    today = (
        f"&starts_after={local(THURSDAY, 0):%Y-%m-%dT%H:%M:%SZ}&starts_before={local(THURSDAY, 23):%Y-%m-%dT%H:%M:%SZ}"
    )
    outcome = {visit["reference"]: "COMPLETED", missed["reference"]: "NO_SHOW"}
    for by in (scheduler, clinician, walk.supervisor):
        assert list_visits(walk, by, today) == outcome
    assert list_visits(walk, jordan_online) == {missed["reference"]: "NO_SHOW", freed["reference"]: "CANCELLED"}
    for step in walk.get(jordan_online, f"/appointments/{missed['id']}/status-history")["items"]:
        assert (step["note"], step["account_id"]) == (None, None)
    walk.get(jordan_online, f"/appointments/{visit['id']}", 404)
    walk.get(jordan_online, f"/clients/{child}", 404)
    guardian = walk.open_portal(child, "pat@example.com")
    assert sorted(list_visits(walk, guardian).values()) == ["COMPLETED", *["SCHEDULED"] * 4]
    for by in (clinician, walk.supervisor):
        assert walk.get(by, f"/clients/{child}")["guardian_name"] == "Pat Example"
        [written] = walk.get(by, f"/notes?client_id={child}")["items"]
        assert (written["appointment_id"], written["status"]) == (visit["id"], "DRAFT")
    walk.get(scheduler, f"/notes?client_id={child}", 403)
    assert list_visits(walk, walk.stranger) == {}
    walk.get(walk.stranger, f"/clients/{child}", 404)
    walk.change(clinician, f"/clients/{child}", high_risk_since=THURSDAY)
    walk.change(scheduler, f"/clients/{child}", 403, high_risk_since=None)
