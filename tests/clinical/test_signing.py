"""Signing, submitting, returning and co-signing notes over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from practice.clinical.errors import NotYourNote
from practice.clinical.notes.signing import sign_note
from practice.people.settings import change_setting
from practice.security.work import Actor
from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW, Person
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import assert_error
from tests.support.drivers.http import error_code
from tests.support.drivers.notes import NotesApi, import_note, set_license


def to_iso(moment: str) -> str:
    return moment.replace("Z", "+00:00")


def is_unchanged(notes_api: NotesApi, note: dict[str, Any]) -> bool:
    return notes_api.read(note) == note


def test_a_note_is_signed_once_by_its_author(notes_api: NotesApi) -> None:
    note = notes_api.create_note(appointment_id=notes_api.make_session())
    signed = notes_api.take_step(note, "sign")
    assert (signed["status"], signed["version"]) == ("SIGNED", 2)
    assert (to_iso(signed["signed_at"]), signed["signed_by_id"]) == (NOW.isoformat(), str(notes_api.clinician.staff_id))
    (signature,) = notes_api.read_history(note)["signatures"]
    assert (signature["number"], signature["version_number"], signature["kind"]) == (1, 1, "AUTHOR")
    (entry,) = notes_api.load_audit_entries("note.signed")
    assert (entry.details["hash"], entry.subject_id) == (signature["hash"], notes_api.client)

    assert assert_error(notes_api.post_step(signed, "sign"), "NOTE_SIGNED")
    assert assert_error(notes_api.post_step(signed, "submit"), "NOTE_SIGNED")
    assert assert_error(notes_api.save(signed), "NOTE_SIGNED")["message"].endswith("Amend it, or add an addendum.")
    assert is_unchanged(notes_api, signed)
    assert notes_api.count_rows() == {"notes": 1, "note_versions": 1, "note_signatures": 1, "session_locks": 0}


def test_the_runtime_role_cannot_change_or_delete_signatures(notes_api: NotesApi) -> None:
    notes_api.create_signed_note()
    for table in ("note_signatures", "note_versions"):
        for statement in (f"delete from {table}", f"update {table} set number = number + 1"):
            with (
                pytest.raises(ProgrammingError),
                notes_api.practice.installation.store.begin_session(notes_api.practice.id) as db,
            ):
                db.execute(text(statement))


@pytest.mark.parametrize("status", ["CANCELLED", "NO_SHOW", "RESCHEDULED", "SCHEDULED"])
def test_a_note_of_a_session_that_did_not_take_place_is_not_signed(notes_api: NotesApi, status: str) -> None:
    set_license(notes_api.practice, notes_api.clinician, "APC")  # whose notes are reviewed
    drafts = [
        notes_api.create_note(appointment_id=notes_api.make_session(NOW - timedelta(hours=hours))) for hours in (3, 6)
    ]
    submitted = notes_api.take_step(drafts[1], "submit")
    statement = """
        update appointments
        set
            status = :status, status_at = :now,
            starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day'
    """
    with notes_api.practice.work() as work:
        work.db.execute(text(statement), {"status": status, "now": NOW})
    assert_error(notes_api.post_step(drafts[0], "submit"), "SESSION_NOT_HELD")
    assert_error(notes_api.post_step(submitted, "co-sign", notes_api.supervisor), "SESSION_NOT_HELD")
    notes_api.take_step(notes_api.take_step(submitted, "withdraw"), "entered-in-error", reason="Another client")


@pytest.fixture
def supervised(notes_api: NotesApi) -> NotesApi:
    set_license(notes_api.practice, notes_api.clinician, "APC")
    return notes_api


def test_a_supervised_note_is_signed_by_two(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.create_note(appointment_id=supervised.make_session())
    assert assert_error(notes_api.post_step(note, "sign"), "REVIEW_NEEDED")
    assert is_unchanged(notes_api, note)
    handed_in = notes_api.take_step(note, "submit")
    assert (handed_in["status"], handed_in["signed_at"], to_iso(handed_in["submitted_at"])) == (
        *("IN_REVIEW", None),
        NOW.isoformat(),
    )
    assert assert_error(notes_api.post_step(handed_in, "sign"), "NOTE_IN_REVIEW")
    assert assert_error(notes_api.post_step(handed_in, "submit"), "NOTE_IN_REVIEW")
    assert assert_error(notes_api.save(handed_in), "NOTE_IN_REVIEW")
    notes_api.now = NOW + timedelta(hours=1)
    signed = notes_api.take_step(handed_in, "co-sign", notes_api.supervisor)
    assert (signed["status"], signed["signed_by_id"]) == ("SIGNED", str(notes_api.supervisor.staff_id))
    assert to_iso(signed["signed_at"]) == notes_api.now.isoformat()
    kinds = [(signature["kind"], signature["signed_by_id"]) for signature in notes_api.read_history(note)["signatures"]]
    assert kinds == [
        ("AUTHOR", str(notes_api.clinician.staff_id)),
        ("CO_SIGNATURE", str(notes_api.supervisor.staff_id)),
    ]
    assert assert_error(notes_api.post_step(signed, "co-sign", notes_api.supervisor), "NOTE_SIGNED")
    assert notes_api.verify(note)["intact"]


def test_a_returned_note_is_submitted_again_and_keeps_every_reason(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.create_note()
    note = notes_api.take_step(note, "submit")
    note = notes_api.take_step(note, "return", notes_api.supervisor, reason="The risk is missing")
    assert (note["status"], note["submitted_at"]) == ("DRAFT", None)
    note = notes_api.save(note, sections=SOAP | {"assessment": "No risk."}).json()
    note = notes_api.take_step(
        notes_api.take_step(note, "submit"), "return", notes_api.supervisor, reason="A plan, please"
    )
    note = notes_api.take_step(notes_api.save(note, sections=SOAP | {"plan": "Weekly."}).json(), "submit")
    note = notes_api.take_step(note, "co-sign", notes_api.supervisor)
    history = notes_api.read_history(note)
    assert [item["reason"] for item in history["review_returns"]] == ["The risk is missing", "A plan, please"]
    assert [signature["version_number"] for signature in history["signatures"]] == [1, 2, 3, 3]
    assert [version["number"] for version in history["versions"]] == [1, 2, 3]
    assert notes_api.verify(note)["problems"] == []
    for entry in notes_api.load_audit_entries("note.returned"):
        assert "reason" not in entry.details


def test_submitting_and_returning_notify_the_next_person(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.create_note()
    for hour, (verb, by, body) in enumerate(
        [
            ("submit", None, {}),
            ("return", notes_api.supervisor, {"reason": "The risk is missing"}),
            ("submit", None, {}),
        ]
    ):
        notes_api.now = NOW + timedelta(hours=hour)
        note = notes_api.take_step(note, verb, by, **body)
    query = "select kind, staff_id, due_at from messages where about_id = :note_id order by due_at"
    messages = [(row.kind, row.staff_id, row.due_at) for row in notes_api.load_rows(query, note_id=note["id"])]
    assert messages == [
        ("NOTE_HANDED_IN", notes_api.supervisor.staff_id, NOW),
        ("NOTE_RETURNED", notes_api.clinician.staff_id, NOW + timedelta(hours=1)),
        ("NOTE_HANDED_IN", notes_api.supervisor.staff_id, NOW + timedelta(hours=2)),
    ]


def test_the_author_withdraws_a_note_from_review(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.create_note()
    assert assert_error(notes_api.post_step(note, "withdraw"), "NOT_IN_REVIEW")
    note = notes_api.take_step(notes_api.take_step(note, "submit"), "withdraw")
    assert note["status"] == "DRAFT"
    assert assert_error(notes_api.post_step(note, "co-sign", notes_api.supervisor), "NOT_IN_REVIEW")
    assert assert_error(notes_api.post_step(note, "return", notes_api.supervisor, reason="Because"), "NOT_IN_REVIEW")
    assert notes_api.save(note).status_code == 200


def test_co_signing_needs_the_version_that_the_supervisor_read(supervised: NotesApi) -> None:
    notes_api = supervised
    read = notes_api.take_step(notes_api.create_note(), "submit")
    note = notes_api.save(notes_api.take_step(read, "withdraw"), sections=SOAP | {"plan": "Something else."}).json()
    handed_in = notes_api.take_step(note, "submit")
    answer = notes_api.post_step(read, "co-sign", notes_api.supervisor)
    assert (answer.status_code, error_code(answer)) == (412, "STALE")
    assert notes_api.read(handed_in)["status"] == "IN_REVIEW"


def test_only_the_author_s_own_supervisor_co_signs(supervised: NotesApi) -> None:
    notes_api, note = supervised, supervised.take_step(supervised.create_note(), "submit")
    other = notes_api.practice.add("supervisor")
    for verb, body in (("co-sign", {}), ("return", {"reason": "Because"})):
        assert assert_error(notes_api.post_step(note, verb, other, **body), "NOT_FOUND", 404)
        assert assert_error(notes_api.post_step(note, verb, notes_api.clinician, **body), "FORBIDDEN", 403)
        assert assert_error(notes_api.post_step(note, verb, notes_api.practice.admin, **body), "FORBIDDEN", 403)
    # a supervisor of another team who can see the client can read the signed note, but not co-sign it
    reader = notes_api.practice.add("supervisor", "clinician")
    notes_api.make_session(clinician=reader)
    signed = notes_api.take_step(note, "co-sign", notes_api.supervisor)
    assert notes_api.read(signed, reader)["status"] == "SIGNED"
    assert assert_error(notes_api.post_step(signed, "co-sign", reader), "NOT_YOUR_NOTE", 403)
    assert assert_error(notes_api.post_step(signed, "return", reader, reason="Because"), "NOT_YOUR_NOTE", 403)


def test_supervisors_cannot_co_sign_their_own_notes(notes_api: NotesApi) -> None:
    """A supervisor who sees clients submits notes to their own supervisor if the license requires it."""
    above = notes_api.practice.add("supervisor")
    both = notes_api.practice.add("supervisor", "clinician", supervisor=above)
    set_license(notes_api.practice, both, "LPC")
    client_id = make_client(notes_api.practice, both)
    note = notes_api.create_note(both, client_id=client_id)
    assert assert_error(notes_api.post_step(note, "sign", both), "REVIEW_NEEDED")
    assert assert_error(notes_api.post_step(note, "co-sign", both), "REVIEW_NEEDED")
    note = notes_api.take_step(note, "submit", both)
    assert assert_error(notes_api.post_step(note, "co-sign", both), "NOTE_IN_REVIEW")
    assert assert_error(notes_api.post_step(note, "return", both, reason="Because"), "NOT_YOUR_NOTE", 403)
    assert notes_api.take_step(note, "co-sign", above)["status"] == "SIGNED"


def test_review_is_needed_by_license_and_supervisor(notes_api: NotesApi) -> None:
    """A supervisor and a license for which the practice requires supervision hours."""

    def answer(license_type: str | None, by: Person) -> int:
        set_license(notes_api.practice, by, license_type)
        client_id = make_client(notes_api.practice, by)
        return notes_api.post_step(notes_api.create_note(by, client_id=client_id), "sign", by).status_code

    assert [answer(license_type, notes_api.clinician) for license_type in ("LPC", "APC", "LMSW")] == [409, 409, 409]
    assert [answer(license_type, notes_api.clinician) for license_type in ("LCSW", "PSYCHOLOGIST", None)] == [
        200,
        200,
        200,
    ]
    assert answer("LPC", notes_api.colleague) == 200  # has no supervisor
    assert assert_error(
        notes_api.post_step(
            notes_api.create_note(notes_api.colleague, client_id=make_client(notes_api.practice, notes_api.colleague)),
            "submit",
            notes_api.colleague,
        ),
        "NO_SUPERVISOR",
    )
    with notes_api.practice.work() as work:
        change_setting(work, "supervision_hours_lpc", 0, NOW.date())
    assert answer("LPC", notes_api.clinician) == 200


def test_notes_that_need_no_review_can_still_be_submitted(notes_api: NotesApi) -> None:
    note = notes_api.take_step(notes_api.create_note(), "submit")
    assert notes_api.take_step(note, "co-sign", notes_api.supervisor)["signed_by_id"] == str(
        notes_api.supervisor.staff_id
    )


def test_an_imported_note_in_review_is_signed_by_the_supervisor(notes_api: NotesApi) -> None:
    note = notes_api.get(f"/notes/{import_note(notes_api, 'As it came.', status='IN_REVIEW')}").json()
    signed = notes_api.take_step(note, "co-sign", notes_api.supervisor)
    assert (signed["status"], notes_api.verify(note)["problems"]) == ("SIGNED", [])


def test_signing_needs_an_account(notes_api: NotesApi) -> None:
    note = notes_api.create_note()
    nobody = Actor(notes_api.practice.id, None, notes_api.clinician.staff_id, frozenset({"clinician"}))
    with pytest.raises(NotYourNote, match="signed in"), notes_api.practice.installation.work(nobody, NOW) as work:
        sign_note(work, UUID(note["id"]))
    assert notes_api.count_rows()["note_signatures"] == 0


@pytest.mark.parametrize("change", ["deactivated_at = now()", "roles = '{clinician}'"])
def test_a_note_submitted_to_nobody_says_so(supervised: NotesApi, change: str) -> None:
    notes_api = supervised
    assert notes_api.take_step(notes_api.create_note(), "submit")["warnings"] == []
    with notes_api.practice.work() as work:
        statement = text(f"update staff set {change} where id = :id")
        work.db.execute(statement, {"id": notes_api.supervisor.staff_id})
    submitted = notes_api.take_step(notes_api.create_note(), "submit")
    assert submitted["status"] == "IN_REVIEW"
    [warning] = submitted["warnings"]
    assert "nobody can review this note" in warning
    assert "Ask an admin to set another supervisor" in warning
