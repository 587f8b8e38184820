"""What a change of the staff leaves to do about notes: missing supervisors, notes in review, unsigned sessions."""

from typing import Any

import pytest

from tests.support.builders.people import Person
from tests.support.drivers.notes import NotesApi


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
