"""Builders of notes, by the verbs that people use, and the API of notes as clinicians and supervisors use it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from practice.clinical.documents.rules.templates import Place
from practice.clinical.models.notes import Note
from practice.clinical.notes.writing_assistant import WritingHelp
from practice.people.models.practices import Staff, Training
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, put
from tests.support.drivers.api import ApiDriver
from tests.support.drivers.http import V1

HOUR = timedelta(hours=1)


def license_as(practice: PracticeFixture, person: Person, license_type: str | None) -> None:
    with practice.installation.store.session_in(practice.id) as db:
        mine = update(Staff).where(Staff.tenant_id == practice.id, Staff.id == person.staff_id)
        db.execute(mine.values(license_type=license_type))


class FakeHelp(WritingHelp):
    """Writes what it was given into every section."""

    name = "parrot"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def write(self, type: str, places: Sequence[Place], source: str) -> dict[str, str]:
        self.asked.append(source)
        return {place.key: f"{place.title}: {source}" for place in places} | {"stray": "left out"}

    def improve(self, text: str) -> str:
        return text.capitalize()

    def diagnoses(self, text: str) -> list[str]:
        return ["F41.1", "no code", "F43.2", "F41.1"]


class NotesApi(ApiDriver):
    """A supervisor, a clinician of their team (who may sign alone), another one, and a client with a session."""

    def __init__(self, http: Any, practice: PracticeFixture) -> None:
        super().__init__(http, practice)
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.colleague = practice.add("clinician")
        self.trained(self.supervisor, self.clinician, self.colleague, practice.admin)
        self.client = make_client(practice, self.clinician)
        self.service = make_service(practice, "TALK")

    def trained(self, *people: Person) -> None:
        """So that they may still come in when months have passed."""
        about = {"kind": "HIPAA", "completed_on": self.practice.now.date(), "recorded_at": self.practice.now}
        put(self.practice, *(Training(id=new_id(), staff_id=person.staff_id, **about) for person in people))

    def session(self, starts_at: datetime | None = None, clinician: Person | None = None, **more: Any) -> UUID:
        """One that is over, unless told otherwise."""
        start = starts_at or self.practice.now - 3 * HOUR
        who, client_id = clinician or self.clinician, more.pop("client_id", self.client)
        return make_appointment(self.practice, who, client_id, self.service, start, guarded=False, **more)

    # The API

    def headers(self, by: Person | None = None, **more: str) -> dict[str, str]:
        return self.signed_in(by or self.clinician, **more)

    def get(self, path: str, by: Person | None = None, reason: str | None = None, **query: Any) -> Any:
        asked = {name.rstrip("_"): str(value) for name, value in query.items()}
        because = {"X_Reason": reason} if reason else {}
        return self.http.get(f"{V1}{path}", params=asked, headers=self.headers(by, **because))

    def post(self, path: str, by: Person | None = None, version: int | None = None, **body: Any) -> Any:
        match = {} if version is None else {"If_Match": f'"{version}"'}
        sent = {name.rstrip("_"): str(value) if isinstance(value, UUID) else value for name, value in body.items()}
        return self.http.post(f"{V1}{path}", json=sent or None, headers=self.headers(by, **match))

    def create(self, by: Person | None = None, **more: Any) -> Any:
        body = {"client_id": self.client, "type": "SOAP_NOTE", "sections": SOAP} | more
        return self.post("/notes", by, **{name: value for name, value in body.items() if value is not None})

    def created(self, by: Person | None = None, **more: Any) -> dict[str, Any]:
        answer = self.create(by, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def save(self, note: dict[str, Any], by: Person | None = None, **body: Any) -> Any:
        headers = self.headers(by, If_Match=f'"{note["version"]}"')
        return self.http.put(f"{V1}/notes/{note['id']}", json={"sections": SOAP} | body, headers=headers)

    def step(self, note: dict[str, Any], verb: str, by: Person | None = None, **body: Any) -> Any:
        """As whoever does it has read it last."""
        return self.post(f"/notes/{note['id']}/{verb}", by, note["version"], **body)

    def done(self, note: dict[str, Any], verb: str, by: Person | None = None, **body: Any) -> dict[str, Any]:
        answer = self.step(note, verb, by, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def signed(self, **more: Any) -> dict[str, Any]:
        return self.done(self.created(**more), "sign")

    def read(self, note: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        answer = self.get(f"/notes/{note['id']}", by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def history(self, note: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        return self.get(f"/notes/{note['id']}/history", by).json()

    def verification(self, note: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        answer = self.get(f"/notes/{note['id']}/verification", by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # What is in the database

    def text_of(self, note: dict[str, Any]) -> str | None:
        """As a bundle has it."""
        note_id = UUID(note["id"])
        (row,) = self.rows("select text from notes where tenant_id = :tenant_id and id = :id", id=note_id)
        with self.practice.work() as work:
            return work.unseal("notes", "text", note_id, row.text)

    def counts(self) -> dict[str, int]:
        tables = ("notes", "note_versions", "note_signatures", "session_locks")
        return {
            table: self.rows(f"select count(*) from {table} where tenant_id = :tenant_id")[0][0] for table in tables
        }


def came_in(notes_api: NotesApi, said: str | None, **more: Any) -> UUID:
    """A note that came in with a bundle."""
    note = Note(
        id=new_id(),
        **{"external_id": f"N-{new_id()}", "client_id": notes_api.client, "clinician_id": notes_api.clinician.staff_id}
        | {"type": "SOAP_NOTE", "created_at": notes_api.now - timedelta(days=90), "status": "DRAFT"}
        | more,
    )
    with notes_api.practice.work() as work:
        note.text = work.seal("notes", "text", note.id, said)
    put(notes_api.practice, note)
    return note.id
