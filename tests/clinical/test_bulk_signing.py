"""Many notes signed at once: each is signed or says why not, in as many questions to the database as two take."""

from datetime import timedelta
from uuid import UUID

import pytest

from bench.reads import listening
from practice.clinical.notes.signing import MOST_AT_ONCE, sign_many
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.schedule import make_client
from tests.support.drivers.notes import NotesApi, came_in, license_as


def results(answer: object) -> dict[str, str | None]:
    return {one["note_id"]: None if one["signed"] else one["code"] for one in answer.json()["items"]}  # ty: ignore


def test_each_is_signed_or_says_why_not(notes_api: NotesApi) -> None:
    notes_api.session(clinician=notes_api.colleague)
    old = notes_api.session(notes_api.now - timedelta(days=30))
    long_ago = notes_api.now - timedelta(days=29)
    expected = {
        notes_api.created(appointment_id=notes_api.session())["id"]: None,
        notes_api.created()["id"]: None,
        str(came_in(notes_api, "As it came.")): None,
        notes_api.created(type="SAFETY_PLAN", sections={"coping": "Walks."})["id"]: "NOTE_INCOMPLETE",
        notes_api.signed()["id"]: "NOTE_SIGNED",
        notes_api.done(notes_api.created(), "submit")["id"]: "NOTE_IN_REVIEW",
        notes_api.created(notes_api.colleague)["id"]: "NOT_FOUND",
        str(make_note(notes_api.practice, notes_api.colleague, notes_api.client, status="SIGNED")): "NOT_YOUR_NOTE",
        str(
            make_note(notes_api.practice, notes_api.clinician, notes_api.client, appointment_id=old, now=long_ago)
        ): "NOTE_LOCKED",
        str(new_id()): "NOT_FOUND",
    }
    before = notes_api.counts()["note_signatures"]
    answer = notes_api.post("/notes/bulk-sign", note_ids=[*expected, *expected])  # also when they are named twice
    assert answer.status_code == 200, answer.text
    assert results(answer) == expected
    assert [one["note_id"] for one in answer.json()["items"]] == list(expected)
    assert all(one["message"].endswith(".") for one in answer.json()["items"] if not one["signed"])
    assert notes_api.counts()["note_signatures"] == before + 3
    for note_id, code in expected.items():
        if code != "NOT_FOUND":
            assert notes_api.get(f"/notes/{note_id}/verification").json()["problems"] == []
    again = results(notes_api.post("/notes/bulk-sign", note_ids=list(expected)))
    assert set(again.values()) == {"NOTE_SIGNED", *(code for code in expected.values() if code)}


def test_a_supervisor_signs_what_was_handed_in(notes_api: NotesApi) -> None:
    license_as(notes_api.practice, notes_api.clinician, "LPC")
    handed_in = [notes_api.done(notes_api.created(), "submit")["id"] for _ in range(3)]
    draft = notes_api.created()["id"]
    assert notes_api.post("/notes/bulk-co-sign", note_ids=handed_in).status_code == 403
    assert results(notes_api.post("/notes/bulk-sign", note_ids=[draft, handed_in[0]])) == {
        draft: "REVIEW_NEEDED",
        handed_in[0]: "NOTE_IN_REVIEW",
    }
    answer = notes_api.post("/notes/bulk-co-sign", notes_api.supervisor, note_ids=[*handed_in, draft])
    assert results(answer) == dict.fromkeys(handed_in) | {draft: "NOT_IN_REVIEW"}
    for note_id in handed_in:
        assert notes_api.get(f"/notes/{note_id}").json()["signed_by_id"] == str(notes_api.supervisor.staff_id)


def test_there_are_limits_to_many(notes_api: NotesApi) -> None:
    ids = [str(new_id()) for _ in range(MOST_AT_ONCE)]
    assert notes_api.post("/notes/bulk-sign", note_ids=ids).status_code == 200
    for wrong in ([*ids, str(new_id())], [], ["no id"]):
        assert notes_api.http.post("/api/v1/notes/bulk-sign", json={"note_ids": wrong},
                              headers=notes_api.headers()).status_code == 422  # fmt: skip


@pytest.fixture
def drafts(notes_api: NotesApi) -> list[UUID]:
    """As many as can be signed at once: of several clients and types, with sessions and without."""
    clients = [notes_api.client, *(make_client(notes_api.practice, notes_api.clinician) for _ in range(2))]
    made = []
    for number in range(MOST_AT_ONCE):
        client_id = clients[number % 3]
        start = notes_api.now - timedelta(hours=3, seconds=number)
        session = notes_api.session(start, client_id=client_id) if number % 2 else None
        type = "SOAP_NOTE" if number % 5 else "PROGRESS_NOTE"
        sections = {"focus": "x", "interventions": "x", "response": "x", "progress": "x", "next_steps": "x"}
        made.append(
            make_note(notes_api.practice, notes_api.clinician, client_id, type=type, appointment_id=session,
                      sections=SOAP if number % 5 else sections)
        )  # fmt: skip
    return made


def test_two_hundred_take_as_many_statements_as_two(notes_api: NotesApi, drafts: list[UUID]) -> None:
    sent = []
    few = [drafts.pop(1), drafts.pop(1), *(drafts.pop(0) for _ in range(2))]
    for ids in (few, drafts):
        with (
            listening(notes_api.practice.installation.store.engine) as heard,
            notes_api.practice.work(notes_api.clinician) as work,
        ):
            assert [one.refusal for one in sign_many(work, ids)] == [None] * len(ids)
        sent.append(heard.statements)
    assert [statement[:60] for statement in sent[0]] == [statement[:60] for statement in sent[1]]
    assert len(sent[1]) <= 16
    assert notes_api.rows("select count(*) from notes where tenant_id = :tenant_id and status = 'SIGNED'")[0][0] == 200
    (last,) = notes_api.rows(
        "select note_id, hash from note_signatures where tenant_id = :tenant_id order by id desc limit 1"
    )
    assert notes_api.get(f"/notes/{last.note_id}/verification").json()["intact"]
    assert len(notes_api.recorded("note.signed")) == 200
