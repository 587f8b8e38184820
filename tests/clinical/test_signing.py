"""Signing, handing in, returning and co-signing over HTTP: who may, what is kept of it, and what stays as it was."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from practice.clinical.errors import NotYourNote
from practice.clinical.notes.signing import sign_note
from practice.people.settings import set_rule
from practice.security.work import Actor
from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW, Person
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import refused
from tests.support.drivers.http import code_of
from tests.support.drivers.notes import NotesApi, came_in, license_as


def at(moment: str) -> str:
    return moment.replace("Z", "+00:00")


def unchanged(notes_api: NotesApi, note: dict[str, Any]) -> bool:
    return notes_api.read(note) == note


def test_a_note_is_signed_once_by_its_author(notes_api: NotesApi) -> None:
    note = notes_api.created(appointment_id=notes_api.session())
    signed = notes_api.done(note, "sign")
    assert (signed["status"], signed["version"]) == ("SIGNED", 2)
    assert (at(signed["signed_at"]), signed["signed_by_id"]) == (NOW.isoformat(), str(notes_api.clinician.staff_id))
    (signature,) = notes_api.history(note)["signatures"]
    assert (signature["number"], signature["version_number"], signature["kind"]) == (1, 1, "AUTHOR")
    (entry,) = notes_api.recorded("note.signed")
    assert (entry.details["hash"], entry.subject_id) == (signature["hash"], notes_api.client)

    assert refused(notes_api.step(signed, "sign"), "NOTE_SIGNED")
    assert refused(notes_api.step(signed, "submit"), "NOTE_SIGNED")
    assert refused(notes_api.save(signed), "NOTE_SIGNED")["message"].endswith("Amend it, or add to it.")
    assert unchanged(notes_api, signed)
    assert notes_api.counts() == {"notes": 1, "note_versions": 1, "note_signatures": 1, "session_locks": 0}


def test_the_service_itself_can_neither_change_nor_remove_a_signature(notes_api: NotesApi) -> None:
    notes_api.signed()
    for table in ("note_signatures", "note_versions"):
        for statement in (f"delete from {table}", f"update {table} set number = number + 1"):
            with (
                pytest.raises(ProgrammingError),
                notes_api.practice.installation.store.session_in(notes_api.practice.id) as db,
            ):
                db.execute(text(statement))


@pytest.fixture
def supervised(notes_api: NotesApi) -> NotesApi:
    license_as(notes_api.practice, notes_api.clinician, "APC")
    return notes_api


def test_a_supervised_note_is_signed_by_two(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.created(appointment_id=supervised.session())
    assert refused(notes_api.step(note, "sign"), "REVIEW_NEEDED")
    assert unchanged(notes_api, note)
    handed_in = notes_api.done(note, "submit")
    assert (handed_in["status"], handed_in["signed_at"], at(handed_in["submitted_at"])) == (
        *("IN_REVIEW", None),
        NOW.isoformat(),
    )
    assert refused(notes_api.step(handed_in, "sign"), "NOTE_IN_REVIEW")
    assert refused(notes_api.step(handed_in, "submit"), "NOTE_IN_REVIEW")
    assert refused(notes_api.save(handed_in), "NOTE_IN_REVIEW")
    notes_api.now = NOW + timedelta(hours=1)
    signed = notes_api.done(handed_in, "co-sign", notes_api.supervisor)
    assert (signed["status"], signed["signed_by_id"]) == ("SIGNED", str(notes_api.supervisor.staff_id))
    assert at(signed["signed_at"]) == notes_api.now.isoformat()
    kinds = [(one["kind"], one["signed_by_id"]) for one in notes_api.history(note)["signatures"]]
    assert kinds == [
        ("AUTHOR", str(notes_api.clinician.staff_id)),
        ("CO_SIGNATURE", str(notes_api.supervisor.staff_id)),
    ]
    assert refused(notes_api.step(signed, "co-sign", notes_api.supervisor), "NOTE_SIGNED")
    assert notes_api.verification(note)["intact"]


def test_a_note_that_is_returned_goes_round_again_and_every_reason_stays(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.created()
    note = notes_api.done(note, "submit")
    note = notes_api.done(note, "return", notes_api.supervisor, reason="The risk is missing")
    assert (note["status"], note["submitted_at"]) == ("DRAFT", None)
    note = notes_api.save(note, sections=SOAP | {"assessment": "No risk."}).json()
    note = notes_api.done(notes_api.done(note, "submit"), "return", notes_api.supervisor, reason="A plan, please")
    note = notes_api.done(notes_api.save(note, sections=SOAP | {"plan": "Weekly."}).json(), "submit")
    note = notes_api.done(note, "co-sign", notes_api.supervisor)
    found = notes_api.history(note)
    assert [one["reason"] for one in found["returns"]] == ["The risk is missing", "A plan, please"]
    assert [one["version_number"] for one in found["signatures"]] == [1, 2, 3, 3]
    assert [one["number"] for one in found["versions"]] == [1, 2, 3]
    assert notes_api.verification(note)["problems"] == []
    for entry in notes_api.recorded("note.returned"):
        assert "reason" not in entry.details


def test_whoever_has_to_do_something_next_is_told(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.created()
    for hour, (verb, by, more) in enumerate(
        [
            ("submit", None, {}),
            ("return", notes_api.supervisor, {"reason": "The risk is missing"}),
            ("submit", None, {}),
        ]
    ):
        notes_api.now = NOW + timedelta(hours=hour)
        note = notes_api.done(note, verb, by, **more)
    query = "select kind, staff_id, due_at from messages where about_id = :note_id order by due_at"
    told = [(row.kind, row.staff_id, row.due_at) for row in notes_api.rows(query, note_id=note["id"])]
    assert told == [
        ("NOTE_HANDED_IN", notes_api.supervisor.staff_id, NOW),
        ("NOTE_RETURNED", notes_api.clinician.staff_id, NOW + timedelta(hours=1)),
        ("NOTE_HANDED_IN", notes_api.supervisor.staff_id, NOW + timedelta(hours=2)),
    ]


def test_the_author_takes_a_note_back_from_review(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.created()
    assert refused(notes_api.step(note, "withdraw"), "NOT_IN_REVIEW")
    note = notes_api.done(notes_api.done(note, "submit"), "withdraw")
    assert note["status"] == "DRAFT"
    assert refused(notes_api.step(note, "co-sign", notes_api.supervisor), "NOT_IN_REVIEW")
    assert refused(notes_api.step(note, "return", notes_api.supervisor, reason="Because"), "NOT_IN_REVIEW")
    assert notes_api.save(note).status_code == 200


def test_what_is_co_signed_is_what_the_supervisor_has_read(supervised: NotesApi) -> None:
    notes_api = supervised
    read = notes_api.done(notes_api.created(), "submit")
    note = notes_api.save(notes_api.done(read, "withdraw"), sections=SOAP | {"plan": "Something else."}).json()
    handed_in = notes_api.done(note, "submit")
    answer = notes_api.step(read, "co-sign", notes_api.supervisor)
    assert (answer.status_code, code_of(answer)) == (412, "STALE")
    assert notes_api.read(handed_in)["status"] == "IN_REVIEW"


def test_co_signing_is_for_the_author_s_own_supervisor(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.done(supervised.created(), "submit")
    other = notes_api.practice.add("supervisor")
    for verb, body in (("co-sign", {}), ("return", {"reason": "Because"})):
        assert refused(notes_api.step(note, verb, other, **body), "NOT_FOUND", 404)
        assert refused(notes_api.step(note, verb, notes_api.clinician, **body), "FORBIDDEN", 403)
        assert refused(notes_api.step(note, verb, notes_api.practice.admin, **body), "FORBIDDEN", 403)
    # a supervisor of another team who sees the client, sees the note once it is signed, and has no say in it
    reader = notes_api.practice.add("supervisor", "clinician")
    notes_api.session(clinician=reader)
    signed = notes_api.done(note, "co-sign", notes_api.supervisor)
    assert notes_api.read(signed, reader)["status"] == "SIGNED"
    assert refused(notes_api.step(signed, "co-sign", reader), "NOT_YOUR_NOTE", 403)
    assert refused(notes_api.step(signed, "return", reader, reason="Because"), "NOT_YOUR_NOTE", 403)


def test_nobody_co_signs_their_own(notes_api: NotesApi) -> None:
    """A supervisor who sees clients hands in to a supervisor of their own, where the licence asks for it."""
    above = notes_api.practice.add("supervisor")
    both = notes_api.practice.add("supervisor", "clinician", supervisor=above)
    license_as(notes_api.practice, both, "LPC")
    client_id = make_client(notes_api.practice, both)
    note = notes_api.created(both, client_id=client_id)
    assert refused(notes_api.step(note, "sign", both), "REVIEW_NEEDED")
    assert refused(notes_api.step(note, "co-sign", both), "REVIEW_NEEDED")
    note = notes_api.done(note, "submit", both)
    assert refused(notes_api.step(note, "co-sign", both), "NOTE_IN_REVIEW")
    assert refused(notes_api.step(note, "return", both, reason="Because"), "NOT_YOUR_NOTE", 403)
    assert notes_api.done(note, "co-sign", above)["status"] == "SIGNED"


def test_who_is_supervised(notes_api: NotesApi) -> None:
    """Whoever has a supervisor and a licence that asks for hours of supervision, as the practice has set them."""

    def answer(license_type: str | None, by: Person) -> int:
        license_as(notes_api.practice, by, license_type)
        client_id = make_client(notes_api.practice, by)
        return notes_api.step(notes_api.created(by, client_id=client_id), "sign", by).status_code

    assert [answer(license_type, notes_api.clinician) for license_type in ("LPC", "APC", "LMSW")] == [409, 409, 409]
    assert [answer(license_type, notes_api.clinician) for license_type in ("LCSW", "PSYCHOLOGIST", None)] == [
        200,
        200,
        200,
    ]
    assert answer("LPC", notes_api.colleague) == 200  # who has no supervisor
    assert refused(
        notes_api.step(
            notes_api.created(notes_api.colleague, client_id=make_client(notes_api.practice, notes_api.colleague)),
            "submit",
            notes_api.colleague,
        ),
        "NO_SUPERVISOR",
    )
    with notes_api.practice.work() as work:
        set_rule(work, "supervision_hours_lpc", 0, NOW.date())
    assert answer("LPC", notes_api.clinician) == 200


def test_whoever_need_not_can_hand_in_all_the_same(notes_api: NotesApi) -> None:
    note = notes_api.done(notes_api.created(), "submit")
    assert notes_api.done(note, "co-sign", notes_api.supervisor)["signed_by_id"] == str(notes_api.supervisor.staff_id)


def test_a_note_that_came_in_for_review_is_signed_by_the_supervisor(notes_api: NotesApi) -> None:
    note = notes_api.get(f"/notes/{came_in(notes_api, 'As it came.', status='IN_REVIEW')}").json()
    signed = notes_api.done(note, "co-sign", notes_api.supervisor)
    assert (signed["status"], notes_api.verification(note)["problems"]) == ("SIGNED", [])


def test_only_somebody_signed_in_signs(notes_api: NotesApi) -> None:
    note = notes_api.created()
    nobody = Actor(notes_api.practice.id, None, notes_api.clinician.staff_id, frozenset({"clinician"}))
    with pytest.raises(NotYourNote, match="signed in"), notes_api.practice.installation.work(nobody, NOW) as work:
        sign_note(work, UUID(note["id"]))
    assert notes_api.counts()["note_signatures"] == 0
