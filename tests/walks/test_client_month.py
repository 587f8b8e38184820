"""A client's month, over HTTP: from the invitation by email to a group, and what everybody sees of it in the end."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from fastapi.testclient import TestClient

from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_room, make_service
from tests.support.drivers.booking import local, parse_instant
from tests.support.drivers.sample_requests.intake import ANSWERS
from tests.support.drivers.walks import Walk

FIRST = date(2026, 3, 19)  # a Thursday
DAY, WEEK = timedelta(days=1), timedelta(days=7)
RECORD = {
    **{"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17", "phone": "404-555-0100"},
    **{"address": "1 Sample Way", "city": "Atlanta", "state": "GA", "zip": "30301", "self_pay": True},
    **{"emergency_contact_name": "Kin Example", "emergency_contact_phone": "404-555-0101"},
}


def admit(walk: Walk, first_name: str) -> tuple[str, str]:
    """Add a client of the clinician, and return the id and the email address."""
    email = f"{first_name.lower()}-{new_id()}@example.com"
    fields = {"first_name": first_name, "email": email, "primary_clinician_id": walk.clinician.staff_id}
    return walk.create(walk.scheduler, "/clients", **RECORD | fields)["id"], email


def fill_intake_form(walk: Walk, me: Person) -> dict[str, Any]:
    """Fill in and complete the client's own intake form, which signs the consents."""
    form = walk.create(me, "/intake-forms", client_id=me.staff_id)
    answers = ANSWERS | {"agreements": ANSWERS["agreements"] | {"signed_by_name": "Casey Example"}}
    for step, values in answers.items():
        path = f"/intake-forms/{form['id']}/steps/{step}"
        form = walk.call(me, "PUT", path, 200, values, If_Match=f'"{form["version"]}"')
    return walk.post(me, f"/intake-forms/{form['id']}/complete")


def list_statuses(walk: Walk, by: Person, query: str = "") -> dict[str, str]:
    """Return the statuses of the appointments that a person sees, by reference."""
    items = walk.get(by, f"/appointments?limit=100{query}")["items"]
    return {item["reference"]: item["status"] for item in items}


def test_a_clients_month(client: TestClient, practice: PracticeFixture) -> None:
    make_service(practice, "TALK")
    make_service(practice, "GRIEF", kind="GROUP", capacity=2, minutes=90)
    room = make_room(practice)
    walk = Walk(client, practice, FIRST)
    scheduler, clinician = walk.scheduler, walk.clinician

    # The front desk admits Casey and sends the invitation; the link is in the email
    walk.at(9)
    casey, email = admit(walk, "Casey")
    assert "link" not in walk.post(scheduler, f"/clients/{casey}/portal/invite")
    me = walk.accept_portal_invitation(casey, email)
    form = fill_intake_form(walk, me)
    assert form["status"] == "COMPLETED"
    signed = {item["kind"] for item in walk.get(me, f"/clients/{casey}/consents")["items"]}
    assert "INFORMED_TREATMENT" in signed

    # Casey books the first free slot of next week, then moves the visit
    walk.at(10)
    assert {item["id"] for item in walk.get(me, "/clinicians?service=TALK")["items"]} >= {str(clinician.staff_id)}
    days = f"from={FIRST + WEEK}&to={FIRST + WEEK}&service=TALK"
    free = walk.get(me, f"/clinicians/{clinician.staff_id}/slots?{days}")["items"]
    booking = {"clinician_id": clinician.staff_id, "service_code": "TALK"}
    booked = walk.create(me, "/appointments", **booking, starts_at=free[0]["starts_at"])
    assert (booked["amount"], booked["payment_required"], booked["status"]) == ("150.00", True, "SCHEDULED")
    assert walk.refuse(me, "/appointments", 422, **booking, starts_at=local(FIRST + WEEK, 15), room_id=room) == (
        "VALIDATION_ERROR"
    )
    first = booked["appointment"]
    path = f"/appointments/{first['id']}/reschedule"
    [moved] = walk.create(me, path, starts_at=local(FIRST + WEEK, 11))["items"]

    # A second visit is booked and cancelled in time; the third of a later day cannot be cancelled at the last moment
    second = walk.create(me, "/appointments", **booking, starts_at=local(FIRST + WEEK + DAY, 9))["appointment"]
    walk.post(me, f"/appointments/{second['id']}/cancel")
    walk.day = FIRST + WEEK
    walk.at(9)
    assert walk.refuse(me, f"/appointments/{moved['id']}/cancel") == "TOO_LATE"

    # The visit is held
    walk.at(10, 50)
    walk.post(scheduler, f"/appointments/{moved['id']}/check-in")
    walk.at(11)
    walk.post(clinician, f"/appointments/{moved['id']}/start")
    walk.at(11, 55)
    assert walk.post(clinician, f"/appointments/{moved['id']}/complete")["price"] == "150.00"

    # Casey waits for an earlier time. Avery gives one up, and Casey takes the offer
    walk.at(12)
    avery, _ = admit(walk, "Avery")
    walk.create(scheduler, f"/clients/{avery}/consents", kind="INFORMED_TREATMENT")
    walk.at(12, 10)
    wanted = local(FIRST + WEEK + 4 * DAY, 16)
    freed = walk.create(scheduler, "/appointments", **booking, client_id=avery, starts_at=wanted)["appointment"]
    entry = walk.create(scheduler, "/waitlist", client_id=casey, service_codes=["TALK"], until_on=FIRST + 2 * WEEK)
    walk.post(scheduler, f"/appointments/{freed['id']}/cancel", reason="Avery is ill")
    assert walk.refuse(me, "/appointments", **booking, starts_at=wanted) == "SLOT_TAKEN"  # held, also for Casey
    [offer] = walk.get(me, f"/waitlist/{entry['id']}/offers")["items"]
    assert (offer["service_code"], parse_instant(offer["starts_at"])) == ("TALK", wanted)
    moved_up = walk.create(me, f"/waitlist/offers/{offer['id']}/take")["appointment"]
    assert walk.get(me, "/waitlist")["items"][0]["status"] == "BOOKED"

    # A group is opened in series; Casey opens none, sees the free seats, and joins one
    group_request = {"clinician_id": clinician.staff_id, "service_code": "GRIEF", "room_id": room}
    weekly = {"starts_at": local(FIRST + 2 * WEEK, 17), "rule": "FREQ=WEEKLY;COUNT=2"}
    series = walk.create(scheduler, "/group-sessions/series", **group_request, **weekly)
    groups = walk.get(me, "/group-sessions?has_free_seats=true")["items"]
    assert [(group["free_seats"], group["service_code"]) for group in groups] == [(2, "GRIEF")] * 2
    own_group = {"clinician_id": clinician.staff_id, "service_code": "GRIEF"}
    assert walk.refuse(me, "/appointments", **own_group, starts_at=local(FIRST + 2 * WEEK, 9)) == "NOT_BOOKABLE_ONLINE"
    seat = walk.create(me, "/appointments", group_session_id=groups[0]["id"])["appointment"]
    walk.create(scheduler, "/appointments", client_id=avery, group_session_id=groups[0]["id"])
    assert [group["id"] for group in walk.get(me, "/group-sessions?has_free_seats=true")["items"]] == [groups[1]["id"]]

    # The group moves by an hour with both seats
    [new_group] = walk.create(
        scheduler, f"/group-sessions/{groups[0]['id']}/reschedule", starts_at=local(FIRST + 2 * WEEK, 18)
    )["items"]
    [new_seat] = walk.get(me, f"/group-sessions/{new_group['id']}")["seats"]

    # What is stored
    rows = walk.load_rows("select status, booked_via from appointments where client_id = :id", id=casey)
    assert Counter((row.status, row.booked_via) for row in rows) == {
        ("RESCHEDULED", "PORTAL"): 2,
        ("CANCELLED", "PORTAL"): 1,
        ("COMPLETED", "PORTAL"): 1,
        ("SCHEDULED", "PORTAL"): 1,  # the offer
        ("SCHEDULED", "FRONT_DESK"): 1,  # the seat, moved by the front desk
    }
    kinds = Counter(
        row.kind
        for row in walk.load_rows("select kind from messages where client_id = :id and kind <> 'REMINDER'", id=casey)
    )
    assert kinds == {"BOOKED": 4, "MOVED": 2, "CANCELLED": 1, "WAITLIST_OFFER": 1}
    taken = walk.load_rows(
        "select kind from occupancies where tenant_id = :tenant_id and starts_at = :start",
        start=local(FIRST + 2 * WEEK, 18),
    )
    assert sorted(row.kind for row in taken) == ["client", "client", "clinician", "room"]
    for action, number in (
        *(("client.invited", 1), ("appointment.booked", 6), ("appointment.moved", 3), ("appointment.cancelled", 2)),
        *(("waitlist.offer_taken", 1), ("group_series.opened", 1), ("group_session.moved", 1)),
    ):
        assert len(walk.load_audit_entries(action)) == number, action

    # What Casey sees: their own visits and group, nobody else's, no notes, no billing
    outcome = {
        first["reference"]: "RESCHEDULED",
        moved["reference"]: "COMPLETED",
        second["reference"]: "CANCELLED",
        moved_up["reference"]: "SCHEDULED",
        seat["reference"]: "RESCHEDULED",
        new_seat["reference"]: "SCHEDULED",
    }
    assert list_statuses(walk, me) == outcome
    assert list_statuses(walk, me, f"&from={FIRST + 2 * WEEK}&to={FIRST + 2 * WEEK}&status=SCHEDULED") == {
        new_seat["reference"]: "SCHEDULED"
    }
    shown = walk.get(me, f"/group-sessions/{new_group['id']}")
    assert [item["client_id"] for item in shown["seats"]] == [casey]
    assert "Avery" not in str(shown)
    walk.get(me, f"/clients/{avery}", 404)
    walk.get(me, f"/appointments/{freed['id']}", 404)
    for path in ("/compliance/session-completion", "/pay/periods", "/audit", "/staff"):
        walk.get(me, path, 403)

    # What the front desk and the clinician see: all of it, with names; another clinician nothing
    for by in (scheduler, clinician):
        assert list_statuses(walk, by, f"&client_id={casey}") == outcome
        seats = walk.get(by, f"/group-sessions/{new_group['id']}")["seats"]
        assert {item["client_name"] for item in seats} == {"Casey Example", "Avery Example"}
        [day] = walk.get(by, f"/appointments/calendar?from={FIRST + 2 * WEEK}&to={FIRST + 2 * WEEK}")["days"]
        assert [group["taken_seats"] for group in day["group_sessions"]] == [2]
    assert [
        item["id"] for item in walk.get(clinician, "/group-sessions?clinician_id=me&status=SCHEDULED")["items"]
    ] == [
        new_group["id"],
        groups[1]["id"],
    ]
    assert len(walk.get(scheduler, f"/group-sessions?series_id={series['series_id']}")["items"]) == 3
    assert list_statuses(walk, walk.stranger) == {}
    walk.get(walk.stranger, f"/group-sessions/{new_group['id']}", 404)
    walk.get(walk.stranger, f"/clients/{casey}", 404)
