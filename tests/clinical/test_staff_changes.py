"""What a change of the staff leaves to do about notes: missing supervisors, notes in review, unsigned sessions."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.builders.people import Person
from tests.support.drivers.notes import HOUR, NotesApi


def change_staff(api: NotesApi, person: Person, **changes: Any) -> dict[str, Any]:
    path, admin = f"/staff/{person.staff_id}", api.practice.admin
    version = api.get(path, admin).json()["version"]
    answer = api.http.patch(f"/api/v1{path}", json=changes, headers=api.build_headers(admin, If_Match=f'"{version}"'))
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("license_type", "warned"), [("APC", True), ("LPC", True), ("LCSW", False), (None, False)])
def test_a_license_without_its_supervisor_is_warned_of(
    notes_api: NotesApi, license_type: str | None, warned: bool
) -> None:
    supervised = change_staff(notes_api, notes_api.clinician, license_type=license_type)
    assert supervised["warnings"] == []
    removed = change_staff(notes_api, notes_api.clinician, supervisor_id=None)
    assert removed["supervisor_id"] is None
    assert ["nobody supervises this person" in warning for warning in removed["warnings"]] == [True] * warned
    again = change_staff(notes_api, notes_api.clinician, supervisor_id=str(notes_api.supervisor.staff_id))
    assert again["warnings"] == []


def test_a_license_whose_hours_are_off_needs_no_supervisor(notes_api: NotesApi) -> None:
    body = {"value": 0, "effective_on": "2026-03-18"}
    assert notes_api.post("/settings/supervision_hours_apc", notes_api.practice.admin, **body).status_code == 201
    changes = {"license_type": "APC", "supervisor_id": None}
    assert change_staff(notes_api, notes_api.clinician, **changes)["warnings"] == []


def load_messages(api: NotesApi, person: Person) -> list[tuple[str, str]]:
    query = "select kind, about_id from messages where tenant_id = :tenant_id and staff_id = :id order by id"
    return [(row.kind, str(row.about_id)) for row in api.load_rows(query, id=person.staff_id)]


def test_a_new_supervisor_hears_of_the_notes_in_review(notes_api: NotesApi) -> None:
    api = notes_api
    change_staff(api, api.clinician, license_type="APC")
    waiting, signed, draft = (api.create_note() for _ in range(3))
    api.take_step(waiting, "submit")
    api.take_step(api.take_step(signed, "submit"), "co-sign", api.supervisor)
    addendum = api.post_step(api.read(signed), "addendum", text="One more thing.", reason="Forgotten")
    assert addendum.status_code in (200, 201), addendum.text
    other = api.practice.add("supervisor")
    changed = change_staff(api, api.clinician, supervisor_id=str(other.staff_id))
    assert changed["notes_in_review_count"] == 2
    expected = {("NOTE_HANDED_IN", waiting["id"]), ("AMENDMENT_HANDED_IN", signed["id"])}
    assert set(load_messages(api, other)) == expected
    assert draft["id"] not in dict(load_messages(api, other)).values()
    assert change_staff(api, api.clinician, license_number="APC-1")["notes_in_review_count"] == 2
    assert len(load_messages(api, other)) == 2  # nothing is repeated
    assert api.take_step(api.read(waiting, other), "co-sign", other)["status"] == "SIGNED"


def hand_in(api: NotesApi) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a note, and a signed note whose addendum waits, both for the supervisor of the clinician."""
    change_staff(api, api.clinician, license_type="APC")
    waiting, signed = (api.create_note() for _ in range(2))
    api.take_step(waiting, "submit")
    api.take_step(api.take_step(signed, "submit"), "co-sign", api.supervisor)
    assert api.post_step(api.read(signed), "addendum", text="More.", reason="Forgotten").is_success
    return waiting, signed


def leave(api: NotesApi, supervisor: Person, how: str) -> dict[str, Any]:
    if how == "deactivate":
        return deactivate(api, supervisor)
    today = api.practice.now.date()
    change = {"last day": {"left_on": (today + timedelta(days=30)).isoformat()}, "role": {"roles": ["clinician"]}}
    return change_staff(api, supervisor, **change[how])


@pytest.mark.parametrize("how", ["deactivate", "last day", "role"])
def test_notes_that_wait_for_a_supervisor_who_goes_are_named(notes_api: NotesApi, how: str) -> None:
    api = notes_api
    waiting, signed = hand_in(api)
    before = load_messages(api, api.clinician)
    assert change_staff(api, api.supervisor, license_number="L-1")["supervisees_notes_in_review"] == []
    answer = leave(api, api.supervisor, how)
    assert answer["supervisees_notes_in_review_count"] == 2
    listed = answer["supervisees_notes_in_review"]
    assert {(note["id"], note["is_amendment"]) for note in listed} == {(waiting["id"], False), (signed["id"], True)}
    assert {note["clinician_id"] for note in listed} == {str(api.clinician.staff_id)}
    assert listed[0]["clinician_name"]
    heard = load_messages(api, api.clinician)[len(before) :]
    assert sorted(heard) == sorted([("REVIEWER_CHANGED", waiting["id"]), ("REVIEWER_CHANGED", signed["id"])])
    api.now += HOUR
    assert change_staff(api, api.supervisor, license_number="L-2")["supervisees_notes_in_review_count"] == 2
    assert len(load_messages(api, api.clinician)) == len(before) + 2  # nothing is repeated


def test_the_author_hears_of_another_supervisor_who_finds_the_notes_in_review(notes_api: NotesApi) -> None:
    api = notes_api
    waiting, signed = hand_in(api)
    other, before = api.practice.add("supervisor"), load_messages(api, api.clinician)
    changed = change_staff(api, api.clinician, supervisor_id=str(other.staff_id))
    assert {note["id"] for note in changed["notes_in_review"]} == {waiting["id"], signed["id"]}
    assert changed["supervisees_notes_in_review_count"] == 0
    heard = load_messages(api, api.clinician)[len(before) :]
    assert {kind for kind, _ in heard} == {"REVIEWER_CHANGED"}
    assert {about for _, about in heard} == {waiting["id"], signed["id"]}
    queue = api.get("/notes", other, in_review=True).json()["items"]
    assert {note["id"] for note in queue} == {waiting["id"], signed["id"]}
    assert api.get("/notes", api.supervisor, in_review=True).json()["items"] == []


def deactivate(api: NotesApi, person: Person, left_on: date | None = None) -> dict[str, Any]:
    body = {"left_on": (left_on or api.practice.now.date()).isoformat()}
    answer = api.post(f"/staff/{person.staff_id}/deactivate", api.practice.admin, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_another_last_day_of_somebody_deactivated_is_a_correction(notes_api: NotesApi) -> None:
    api, today = notes_api, notes_api.practice.now.date()
    visit = api.make_session(api.practice.now + HOUR)
    first = deactivate(api, api.clinician, today)
    again = deactivate(api, api.clinician, today)
    assert (again["version"], again["left_on"]) == (first["version"], today.isoformat())
    corrected = deactivate(api, api.clinician, today - timedelta(days=3))
    assert corrected["left_on"] == (today - timedelta(days=3)).isoformat()
    assert corrected["version"] == first["version"] + 1
    assert [listed["id"] for listed in corrected["affected"]] == [str(visit)]
    assert corrected["active"] is False
    (entry,) = api.load_audit_entries("staff.last_day_changed")
    assert entry.details == {"former": today.isoformat(), "left_on": corrected["left_on"]}
    assert len(api.load_audit_entries("staff.deactivated")) == 1
    body = {"left_on": "1999-01-01"}
    refused = api.post(f"/staff/{api.clinician.staff_id}/deactivate", api.practice.admin, **body)
    assert (refused.status_code, "before the first one" in refused.text) == (422, True)


def test_a_last_day_ahead_is_planned_in_the_record_and_ends_no_access_now(notes_api: NotesApi) -> None:
    api, ahead = notes_api, notes_api.practice.now.date() + timedelta(days=14)
    path, body = f"/staff/{api.clinician.staff_id}/deactivate", {"left_on": ahead.isoformat()}
    refused = api.post(path, api.practice.admin, **body)
    assert (refused.status_code, "change `left_on` of the record" in refused.text) == (422, True)
    assert api.get("/notes", api.clinician).status_code == 200
    planned = change_staff(api, api.clinician, left_on=ahead.isoformat())
    assert (planned["left_on"], planned["active"]) == (ahead.isoformat(), True)


def make_completed_session(api: NotesApi, person: Person, hours_ago: int = 3) -> UUID:
    start = api.practice.now - timedelta(hours=hours_ago)
    return api.make_session(start, person, status="COMPLETED", status_at=start)


def test_deactivation_lists_the_sessions_without_a_signed_note(notes_api: NotesApi) -> None:
    api = notes_api
    unsigned, draft, signed = (make_completed_session(api, api.clinician, 6 - number) for number in range(3))
    make_completed_session(api, api.colleague)
    api.make_session(api.practice.now - timedelta(hours=9))  # not completed
    api.create_note(appointment_id=str(draft))
    api.create_signed_note(appointment_id=str(signed))
    assert change_staff(api, api.clinician, license_number="LPC-1")["unsigned"] == []
    answer = deactivate(api, api.clinician)
    assert [session["id"] for session in answer["unsigned"]] == [str(unsigned), str(draft)]
    assert answer["unsigned_count"] == 2
    assert answer["unsigned"][0]["client_name"].startswith("Casey")


@pytest.mark.parametrize("roles", [["supervisor", "clinician"], ["admin", "clinician"]])
def test_the_session_of_a_leaver_is_finished_in_ones_own_name(notes_api: NotesApi, roles: list[str]) -> None:
    api = notes_api
    finisher = api.practice.add(*roles)
    api.record_trainings(finisher)
    if "supervisor" in roles:
        change_staff(api, api.clinician, supervisor_id=str(finisher.staff_id))
    session, open_session = make_completed_session(api, api.clinician), api.make_session(api.practice.now - HOUR)
    refused = api.post_note(finisher, appointment_id=session)
    assert "no such appointment" in refused.text  # its clinician writes it
    deactivate(api, api.clinician)
    for other, appointment_id in ((api.colleague, session), (finisher, open_session)):
        assert "no such appointment" in api.post_note(other, appointment_id=appointment_id).text
    note = api.create_note(finisher, appointment_id=session)
    signed = api.take_step(note, "sign", finisher)
    assert (signed["status"], signed["clinician_id"]) == ("SIGNED", str(finisher.staff_id))
    assert api.verify(note, finisher)["intact"] is True
    again = api.post_note(finisher, appointment_id=session)
    assert "no such appointment" in again.text  # it is signed


def prepare_two_notes(api: NotesApi) -> tuple[Person, dict[str, Any], dict[str, Any]]:
    """Return somebody who finishes a leaver's session, the leaver's note in review, and the finisher's draft."""
    finisher = api.practice.add("supervisor", "clinician")
    api.record_trainings(finisher)
    session = make_completed_session(api, api.clinician)
    change_staff(api, api.clinician, supervisor_id=str(finisher.staff_id), license_type="APC")
    handed_in = api.create_note(appointment_id=session)
    api.take_step(handed_in, "submit")
    deactivate(api, api.clinician)
    return finisher, api.read(handed_in, finisher), api.create_note(finisher, appointment_id=session)


def list_signed(api: NotesApi) -> list[str]:
    query = "select id from notes where tenant_id = :tenant_id and signed_at is not null"
    return [str(row.id) for row in api.load_rows(query)]


def test_a_session_of_a_leaver_gets_one_signed_note(notes_api: NotesApi) -> None:
    api = notes_api
    finisher, handed_in, draft = prepare_two_notes(api)
    api.take_step(handed_in, "co-sign", finisher)
    refused = api.post_step(draft, "sign", finisher)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SESSION_SIGNED")
    assert "Void it" in refused.json()["error"]["message"]
    assert list_signed(api) == [handed_in["id"]]
    headers = api.build_headers(finisher)
    path = f"/api/v1/notes/{draft['id']}"
    assert api.http.request("DELETE", path, json={"reason": "Signed already"}, headers=headers).status_code == 204


def test_a_leavers_note_is_not_co_signed_after_it_was_finished(notes_api: NotesApi) -> None:
    api = notes_api
    finisher, handed_in, draft = prepare_two_notes(api)
    api.take_step(draft, "sign", finisher)
    refused = api.post_step(handed_in, "co-sign", finisher)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SESSION_SIGNED")
    assert "Return it to its author" in refused.json()["error"]["message"]
    assert api.take_step(handed_in, "return", finisher, reason="Finished already")["status"] == "DRAFT"
    assert list_signed(api) == [draft["id"]]


def test_bulk_signing_signs_one_note_of_a_leavers_session(notes_api: NotesApi) -> None:
    api = notes_api
    finisher, handed_in, draft = prepare_two_notes(api)
    answer = api.post("/notes/bulk-sign", finisher, note_ids=[draft["id"], handed_in["id"]])
    assert sorted(item["code"] or "" for item in answer.json()["items"]) == ["", "SESSION_SIGNED"]
    assert len(list_signed(api)) == 1


def test_a_clinicians_own_session_can_have_two_signed_notes(notes_api: NotesApi) -> None:
    session = make_completed_session(notes_api, notes_api.clinician)
    for type in ("SOAP_NOTE", "SOAP_NOTE"):
        notes_api.create_signed_note(appointment_id=session, type=type)
    assert len(list_signed(notes_api)) == 2


@pytest.mark.parametrize("begun", [True, False])
def test_a_leavers_late_session_is_unlocked_by_another_than_its_finisher(notes_api: NotesApi, begun: bool) -> None:
    api = notes_api
    finisher = api.practice.add("supervisor", "clinician")
    api.record_trainings(finisher)
    session = make_completed_session(api, api.clinician)
    change_staff(api, api.clinician, supervisor_id=str(finisher.staff_id))
    leavers = api.create_note(appointment_id=session)
    deactivate(api, api.clinician)
    note = api.create_note(finisher, appointment_id=session) if begun else leavers
    api.now += timedelta(days=30)
    path = f"/compliance/session-completion/{session}/supervisor-override"
    for answer in (api.post_step(leavers, "unlock", finisher, reason="Late"), api.post(path, finisher, reason="Late")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "OWN_SESSION"), answer.text
        assert "Ask an admin" in answer.json()["error"]["message"]
    assert api.post_step(note, "sign", finisher).json()["error"]["code"] in ("NOTE_LOCKED", "NOT_IN_REVIEW")
    assert api.post_step(leavers, "unlock", api.practice.admin, reason="Late").status_code == 200
    note = note if begun else api.create_note(finisher, appointment_id=session)
    assert api.take_step(note, "sign", finisher)["status"] == "SIGNED"


def test_another_supervisor_does_not_finish_the_session_of_a_leaver(notes_api: NotesApi) -> None:
    api = notes_api
    session, other = make_completed_session(api, api.clinician), api.practice.add("supervisor", "clinician")
    deactivate(api, api.clinician)
    assert "no such appointment" in api.post_note(other, appointment_id=session).text
