"""Bulk signing: each note is signed or refused, and the number of statements stays constant."""

from datetime import timedelta
from uuid import UUID

import pytest

from bench.reads import record_statements
from practice.clinical.notes.signing import MAX_BULK_SIGN, sign_many
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.schedule import make_client
from tests.support.drivers.notes import NotesApi, import_note, set_license


def read_results(answer: object) -> dict[str, str | None]:
    return {item["note_id"]: None if item["succeeded"] else item["code"] for item in answer.json()["items"]}  # ty: ignore


def test_each_note_is_signed_or_refused(notes_api: NotesApi) -> None:
    notes_api.make_session(clinician=notes_api.colleague)
    old = notes_api.make_session(notes_api.now - timedelta(days=30))
    long_ago = notes_api.now - timedelta(days=29)
    expected = {
        notes_api.create_note(appointment_id=notes_api.make_session())["id"]: None,
        notes_api.create_note()["id"]: None,
        str(import_note(notes_api, "As it came.")): None,
        notes_api.create_note(type="SAFETY_PLAN", sections={"coping": "Walks."})["id"]: "NOTE_INCOMPLETE",
        notes_api.create_signed_note()["id"]: "NOTE_SIGNED",
        notes_api.take_step(notes_api.create_note(), "submit")["id"]: "NOTE_IN_REVIEW",
        notes_api.create_note(notes_api.colleague)["id"]: "NOT_FOUND",
        str(make_note(notes_api.practice, notes_api.colleague, notes_api.client, status="SIGNED")): "NOT_YOUR_NOTE",
        str(
            make_note(notes_api.practice, notes_api.clinician, notes_api.client, appointment_id=old, now=long_ago)
        ): "NOTE_LOCKED",
        str(new_id()): "NOT_FOUND",
    }
    before = notes_api.count_rows()["note_signatures"]
    answer = notes_api.post("/notes/bulk-sign", note_ids=[*expected, *expected])  # also when listed twice
    assert answer.status_code == 200, answer.text
    assert read_results(answer) == expected
    assert [item["note_id"] for item in answer.json()["items"]] == list(expected)
    assert all(item["message"].endswith(".") for item in answer.json()["items"] if not item["succeeded"])
    assert notes_api.count_rows()["note_signatures"] == before + 3
    for note_id, code in expected.items():
        if code != "NOT_FOUND":
            assert notes_api.get(f"/notes/{note_id}/verification").json()["problems"] == []
    again = read_results(notes_api.post("/notes/bulk-sign", note_ids=list(expected)))
    assert set(again.values()) == {"NOTE_SIGNED", *(code for code in expected.values() if code)}


def test_a_supervisor_bulk_signs_submitted_notes(notes_api: NotesApi) -> None:
    set_license(notes_api.practice, notes_api.clinician, "LPC")
    handed_in = [notes_api.take_step(notes_api.create_note(), "submit")["id"] for _ in range(3)]
    draft = notes_api.create_note()["id"]
    assert notes_api.post("/notes/bulk-co-sign", note_ids=handed_in).status_code == 403
    assert read_results(notes_api.post("/notes/bulk-sign", note_ids=[draft, handed_in[0]])) == {
        draft: "REVIEW_NEEDED",
        handed_in[0]: "NOTE_IN_REVIEW",
    }
    answer = notes_api.post("/notes/bulk-co-sign", notes_api.supervisor, note_ids=[*handed_in, draft])
    assert read_results(answer) == dict.fromkeys(handed_in) | {draft: "NOT_IN_REVIEW"}
    for note_id in handed_in:
        assert notes_api.get(f"/notes/{note_id}").json()["signed_by_id"] == str(notes_api.supervisor.staff_id)


def test_bulk_signing_is_limited(notes_api: NotesApi) -> None:
    ids = [str(new_id()) for _ in range(MAX_BULK_SIGN)]
    assert notes_api.post("/notes/bulk-sign", note_ids=ids).status_code == 200
    for wrong in ([*ids, str(new_id())], [], ["no id"]):
        assert notes_api.http.post("/api/v1/notes/bulk-sign", json={"note_ids": wrong},
                              headers=notes_api.build_headers()).status_code == 422  # fmt: skip


@pytest.fixture
def drafts(notes_api: NotesApi) -> list[UUID]:
    """Create as many drafts as can be signed in bulk, of several clients and types, with and without sessions."""
    clients = [notes_api.client, *(make_client(notes_api.practice, notes_api.clinician) for _ in range(2))]
    note_ids = []
    for number in range(MAX_BULK_SIGN):
        client_id = clients[number % 3]
        start = notes_api.now - timedelta(hours=3, seconds=number)
        session = notes_api.make_session(start, client_id=client_id) if number % 2 else None
        type = "SOAP_NOTE" if number % 5 else "PROGRESS_NOTE"
        sections = {"focus": "x", "interventions": "x", "response": "x", "progress": "x", "next_steps": "x"}
        note_ids.append(
            make_note(notes_api.practice, notes_api.clinician, client_id, type=type, appointment_id=session,
                      sections=SOAP if number % 5 else sections)
        )  # fmt: skip
    return note_ids


def test_two_hundred_take_as_many_statements_as_two(notes_api: NotesApi, drafts: list[UUID]) -> None:
    statements = []
    few = [drafts.pop(1), drafts.pop(1), *(drafts.pop(0) for _ in range(2))]
    for ids in (few, drafts):
        with (
            record_statements(notes_api.practice.installation.store.engine) as recorder,
            notes_api.practice.work(notes_api.clinician) as work,
        ):
            assert [result.refusal for result in sign_many(work, ids)] == [None] * len(ids)
        statements.append(recorder.statements)
    assert [statement[:60] for statement in statements[0]] == [statement[:60] for statement in statements[1]]
    assert len(statements[1]) <= 16
    assert (
        notes_api.load_rows("select count(*) from notes where tenant_id = :tenant_id and status = 'SIGNED'")[0][0]
        == 200
    )
    (last,) = notes_api.load_rows(
        "select note_id, hash from note_signatures where tenant_id = :tenant_id order by id desc limit 1"
    )
    assert notes_api.get(f"/notes/{last.note_id}/verification").json()["intact"]
    assert len(notes_api.load_audit_entries("note.signed")) == 200
