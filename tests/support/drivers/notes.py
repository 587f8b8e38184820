"""The notes API as clinicians and supervisors use it, and rows that only an import or the operator can create."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.models.notes import Note
from practice.clinical.notes.writing_assistant import WritingAssistant
from practice.people.models.practices import Staff, Training
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, put
from tests.support.drivers.api import ApiDriver
from tests.support.drivers.http import V1

HOUR = timedelta(hours=1)


def set_license(practice: PracticeFixture, person: Person, license_type: str | None) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        statement = update(Staff).where(Staff.tenant_id == practice.id, Staff.id == person.staff_id)
        db.execute(statement.values(license_type=license_type))


class FakeWritingAssistant(WritingAssistant):
    """A writing assistant that copies its source into every section."""

    name = "parrot"

    def __init__(self) -> None:
        self.sources: list[str] = []

    def write(self, type: str, template: Sequence[TemplateSection], source: str) -> dict[str, str]:
        self.sources.append(source)
        return {section.key: f"{section.title}: {source}" for section in template} | {"stray": "left out"}

    def improve(self, text: str) -> str:
        return text.capitalize()

    def suggest_diagnoses(self, text: str) -> list[str]:
        return ["F41.1", "no code", "F43.2", "F41.1"]


class NotesApi(ApiDriver):
    """A supervisor, a clinician of their team (who may sign alone), another one, and a client with a session."""

    def __init__(self, http: Any, practice: PracticeFixture) -> None:
        super().__init__(http, practice)
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.colleague = practice.add("clinician")
        self.record_trainings(self.supervisor, self.clinician, self.colleague, practice.admin)
        self.client = make_client(practice, self.clinician)
        self.service = make_service(practice, "TALK")

    def record_trainings(self, *people: Person) -> None:
        """Record trainings, so that the people can still sign in when months have passed."""
        values = {"kind": "HIPAA", "completed_on": self.practice.now.date(), "recorded_at": self.practice.now}
        put(self.practice, *(Training(id=new_id(), staff_id=person.staff_id, **values) for person in people))

    def make_session(self, starts_at: datetime | None = None, clinician: Person | None = None, **values: Any) -> UUID:
        """Create an appointment that is over by default."""
        start = starts_at or self.practice.now - 3 * HOUR
        client_id = values.pop("client_id", self.client)
        clinician = clinician or self.clinician
        return make_appointment(self.practice, clinician, client_id, self.service, start, guarded=False, **values)

    # Requests

    def build_headers(self, person: Person | None = None, **headers: str) -> dict[str, str]:
        return super().build_headers(person or self.clinician, **headers)

    def get(self, path: str, by: Person | None = None, reason: str | None = None, **query: Any) -> Any:
        params = {name.rstrip("_"): str(value) for name, value in query.items()}
        headers = self.build_headers(by, **({"X_Reason": reason} if reason else {}))
        return self.http.get(f"{V1}{path}", params=params, headers=headers)

    def post(self, path: str, by: Person | None = None, version: int | None = None, **body: Any) -> Any:
        headers = self.build_headers(by, **({} if version is None else {"If_Match": f'"{version}"'}))
        json = {name.rstrip("_"): str(value) if isinstance(value, UUID) else value for name, value in body.items()}
        return self.http.post(f"{V1}{path}", json=json or None, headers=headers)

    def post_note(self, by: Person | None = None, **values: Any) -> Any:
        """Create a note and return the response."""
        body = {"client_id": self.client, "type": "SOAP_NOTE", "sections": SOAP} | values
        return self.post("/notes", by, **{name: value for name, value in body.items() if value is not None})

    def create_note(self, by: Person | None = None, **values: Any) -> dict[str, Any]:
        """Create a note and return it."""
        answer = self.post_note(by, **values)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def save(self, note: dict[str, Any], by: Person | None = None, **body: Any) -> Any:
        headers = self.build_headers(by, If_Match=f'"{note["version"]}"')
        return self.http.put(f"{V1}/notes/{note['id']}", json={"sections": SOAP} | body, headers=headers)

    def post_step(self, note: dict[str, Any], verb: str, by: Person | None = None, **body: Any) -> Any:
        """Take a step with the note's version and return the response."""
        return self.post(f"/notes/{note['id']}/{verb}", by, note["version"], **body)

    def take_step(self, note: dict[str, Any], verb: str, by: Person | None = None, **body: Any) -> dict[str, Any]:
        """Take a step and return the note."""
        answer = self.post_step(note, verb, by, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create_signed_note(self, **values: Any) -> dict[str, Any]:
        return self.take_step(self.create_note(**values), "sign")

    def read(self, note: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        answer = self.get(f"/notes/{note['id']}", by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def read_history(self, note: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        return self.get(f"/notes/{note['id']}/history", by).json()

    def verify(self, note: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        answer = self.get(f"/notes/{note['id']}/verification", by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # The database

    def load_text(self, note: dict[str, Any]) -> str | None:
        """Return the note's text as a bundle exports it."""
        note_id = UUID(note["id"])
        (row,) = self.load_rows("select text from notes where tenant_id = :tenant_id and id = :id", id=note_id)
        with self.practice.work() as work:
            return work.unseal("notes", "text", note_id, row.text)

    def count_rows(self) -> dict[str, int]:
        tables = ("notes", "note_versions", "note_signatures", "session_locks")
        return {
            table: self.load_rows(f"select count(*) from {table} where tenant_id = :tenant_id")[0][0]
            for table in tables
        }


def import_note(notes_api: NotesApi, text: str | None, **values: Any) -> UUID:
    """Insert a note as a bundle import does, without any version."""
    columns = {
        "external_id": f"N-{new_id()}",
        "client_id": notes_api.client,
        "clinician_id": notes_api.clinician.staff_id,
        "type": "SOAP_NOTE",
        "created_at": notes_api.now - timedelta(days=90),
        "status": "DRAFT",
    }
    note = Note(id=new_id(), **columns | values)
    with notes_api.practice.work() as work:
        note.text = work.seal("notes", "text", note.id, text)
    put(notes_api.practice, note)
    return note.id
