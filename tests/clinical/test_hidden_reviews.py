"""The review of a signed note is known to its author, the supervisor and admins, to nobody else who reads it."""

from typing import Any

import pytest

from tests.support.builders.notes import SOAP
from tests.support.builders.people import Person
from tests.support.builders.schedule import make_appointment, make_portal_client
from tests.support.drivers.notes import NotesApi, set_license

REASON = "Complaint"


class Reviewed:
    """A shared, signed note with an amendment that was returned, and another one that waits."""

    def __init__(self, api: NotesApi) -> None:
        self.api = api
        self.client = make_portal_client(api.practice, api.clinician)
        self.colleague = api.colleague
        make_appointment(api.practice, self.colleague, self.client.staff_id, api.service, api.now, guarded=False)
        set_license(api.practice, api.clinician, "APC")
        note = api.take_step(api.create_note(client_id=self.client.staff_id), "submit")
        note = api.take_step(api.take_step(note, "co-sign", api.supervisor), "share")
        note = api.take_step(self.amend(note), "return", api.supervisor, reason="Say since when")
        self.note = self.amend(note)

    def amend(self, note: dict[str, Any]) -> dict[str, Any]:
        return self.api.take_step(note, "amend", sections=SOAP | {"plan": "Every second week."}, reason="Interval")

    def states(self, by: Person) -> list[dict[str, Any]]:
        """Return the state of the note in each answer that has it."""
        api, reason = self.api, REASON if by is self.api.practice.admin else None
        path = f"/notes/{self.note['id']}"
        [listed] = api.get("/notes", by, reason).json()["items"]
        states = [listed, api.get(path, by, reason).json(), api.get(f"{path}/history", by, reason).json()["note"]]
        if by is self.client:
            return states
        headers = api.build_headers(by, **({"X_Reason": reason} if reason else {}))
        found = api.http.post("/api/v1/notes/search", json={"query": "slept"}, headers=headers)
        return [*states, found.json()["items"][0]["note"]]

    def filter(self, by: Person, *, in_review: bool) -> int:
        reason = REASON if by is self.api.practice.admin else None
        return len(self.api.get("/notes", by, reason, in_review=in_review).json()["items"])

    def count_verified(self, by: Person) -> tuple[int, int, bool]:
        reason = REASON if by is self.api.practice.admin else None
        verdict = self.api.get(f"/notes/{self.note['id']}/verification", by, reason).json()
        return verdict["versions"], verdict["signatures"], verdict["intact"]


@pytest.fixture
def reviewed(notes_api: NotesApi) -> Reviewed:
    return Reviewed(notes_api)


@pytest.mark.parametrize("reader", ["colleague", "client"])
def test_a_reader_knows_nothing_of_the_review(reviewed: Reviewed, reader: str) -> None:
    by = getattr(reviewed, reader)
    for state in reviewed.states(by):
        assert (state["version_in_review"], state["returned_at"]) == (None, None)
        assert (state["status"], state["id"]) == ("SIGNED", reviewed.note["id"])
    assert (reviewed.filter(by, in_review=True), reviewed.filter(by, in_review=False)) == (0, 1)
    assert reviewed.count_verified(by) == (1, 2, True)


@pytest.mark.parametrize("reader", ["clinician", "supervisor", "admin"])
def test_those_concerned_know_of_the_review(reviewed: Reviewed, reader: str) -> None:
    api = reviewed.api
    by = api.practice.admin if reader == "admin" else getattr(api, reader)
    for state in reviewed.states(by):
        assert (state["version_in_review"], state["returned_at"] is not None) == (3, True)
    assert (reviewed.filter(by, in_review=True), reviewed.filter(by, in_review=False)) == (1, 0)
    assert reviewed.count_verified(by) == (3, 4, True)
