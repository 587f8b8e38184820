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
from tests.support.drivers.notes import Ward, came_in, license_as


def at(moment: str) -> str:
    return moment.replace("Z", "+00:00")


def unchanged(ward: Ward, note: dict[str, Any]) -> bool:
    return ward.read(note) == note


def test_a_note_is_signed_once_by_its_author(ward: Ward) -> None:
    note = ward.created(appointment_id=ward.session())
    signed = ward.done(note, "sign")
    assert (signed["status"], signed["version"]) == ("SIGNED", 2)
    assert (at(signed["signed_at"]), signed["signed_by_id"]) == (NOW.isoformat(), str(ward.clinician.staff_id))
    (signature,) = ward.history(note)["signatures"]
    assert (signature["number"], signature["version_number"], signature["kind"]) == (1, 1, "AUTHOR")
    (entry,) = ward.recorded("note.signed")
    assert (entry.details["hash"], entry.subject_id) == (signature["hash"], ward.client)

    assert refused(ward.step(signed, "sign"), "NOTE_SIGNED")
    assert refused(ward.step(signed, "submit"), "NOTE_SIGNED")
    assert refused(ward.save(signed), "NOTE_SIGNED")["message"].endswith("Amend it, or add to it.")
    assert unchanged(ward, signed)
    assert ward.counts() == {"notes": 1, "note_versions": 1, "note_signatures": 1, "session_locks": 0}


def test_the_service_itself_can_neither_change_nor_remove_a_signature(ward: Ward) -> None:
    ward.signed()
    for table in ("note_signatures", "note_versions"):
        for statement in (f"delete from {table}", f"update {table} set number = number + 1"):
            with pytest.raises(ProgrammingError), ward.practice.house.store.session_in(ward.practice.id) as db:
                db.execute(text(statement))


@pytest.fixture
def supervised(ward: Ward) -> Ward:
    license_as(ward.practice, ward.clinician, "APC")
    return ward


def test_a_supervised_note_is_signed_by_two(supervised: Ward) -> None:
    ward, note = supervised, supervised.created(appointment_id=supervised.session())
    assert refused(ward.step(note, "sign"), "REVIEW_NEEDED")
    assert unchanged(ward, note)
    handed_in = ward.done(note, "submit")
    assert (handed_in["status"], handed_in["signed_at"], at(handed_in["submitted_at"])) == (
        *("IN_REVIEW", None),
        NOW.isoformat(),
    )
    assert refused(ward.step(handed_in, "sign"), "NOTE_IN_REVIEW")
    assert refused(ward.step(handed_in, "submit"), "NOTE_IN_REVIEW")
    assert refused(ward.save(handed_in), "NOTE_IN_REVIEW")
    ward.now = NOW + timedelta(hours=1)
    signed = ward.done(handed_in, "co-sign", ward.supervisor)
    assert (signed["status"], signed["signed_by_id"]) == ("SIGNED", str(ward.supervisor.staff_id))
    assert at(signed["signed_at"]) == ward.now.isoformat()
    kinds = [(one["kind"], one["signed_by_id"]) for one in ward.history(note)["signatures"]]
    assert kinds == [("AUTHOR", str(ward.clinician.staff_id)), ("CO_SIGNATURE", str(ward.supervisor.staff_id))]
    assert refused(ward.step(signed, "co-sign", ward.supervisor), "NOTE_SIGNED")
    assert ward.verification(note)["intact"]


def test_a_note_that_is_returned_goes_round_again_and_every_reason_stays(supervised: Ward) -> None:
    ward, note = supervised, supervised.created()
    note = ward.done(note, "submit")
    note = ward.done(note, "return", ward.supervisor, reason="The risk is missing")
    assert (note["status"], note["submitted_at"]) == ("DRAFT", None)
    note = ward.save(note, sections=SOAP | {"assessment": "No risk."}).json()
    note = ward.done(ward.done(note, "submit"), "return", ward.supervisor, reason="A plan, please")
    note = ward.done(ward.save(note, sections=SOAP | {"plan": "Weekly."}).json(), "submit")
    note = ward.done(note, "co-sign", ward.supervisor)
    found = ward.history(note)
    assert [one["reason"] for one in found["returns"]] == ["The risk is missing", "A plan, please"]
    assert [one["version_number"] for one in found["signatures"]] == [1, 2, 3, 3]
    assert [one["number"] for one in found["versions"]] == [1, 2, 3]
    assert ward.verification(note)["problems"] == []
    for entry in ward.recorded("note.returned"):
        assert "reason" not in entry.details


def test_whoever_has_to_do_something_next_is_told(supervised: Ward) -> None:
    ward, note = supervised, supervised.created()
    for hour, (verb, by, more) in enumerate(
        [("submit", None, {}), ("return", ward.supervisor, {"reason": "The risk is missing"}), ("submit", None, {})]
    ):
        ward.now = NOW + timedelta(hours=hour)
        note = ward.done(note, verb, by, **more)
    query = "select kind, staff_id, due_at from messages where about_id = :note_id order by due_at"
    told = [(row.kind, row.staff_id, row.due_at) for row in ward.rows(query, note_id=note["id"])]
    assert told == [
        ("NOTE_HANDED_IN", ward.supervisor.staff_id, NOW),
        ("NOTE_RETURNED", ward.clinician.staff_id, NOW + timedelta(hours=1)),
        ("NOTE_HANDED_IN", ward.supervisor.staff_id, NOW + timedelta(hours=2)),
    ]


def test_the_author_takes_a_note_back_from_review(supervised: Ward) -> None:
    ward, note = supervised, supervised.created()
    assert refused(ward.step(note, "withdraw"), "NOT_IN_REVIEW")
    note = ward.done(ward.done(note, "submit"), "withdraw")
    assert note["status"] == "DRAFT"
    assert refused(ward.step(note, "co-sign", ward.supervisor), "NOT_IN_REVIEW")
    assert refused(ward.step(note, "return", ward.supervisor, reason="Because"), "NOT_IN_REVIEW")
    assert ward.save(note).status_code == 200


def test_what_is_co_signed_is_what_the_supervisor_has_read(supervised: Ward) -> None:
    ward = supervised
    read = ward.done(ward.created(), "submit")
    note = ward.save(ward.done(read, "withdraw"), sections=SOAP | {"plan": "Something else."}).json()
    handed_in = ward.done(note, "submit")
    answer = ward.step(read, "co-sign", ward.supervisor)
    assert (answer.status_code, code_of(answer)) == (412, "STALE")
    assert ward.read(handed_in)["status"] == "IN_REVIEW"


def test_co_signing_is_for_the_author_s_own_supervisor(supervised: Ward) -> None:
    ward, note = supervised, supervised.done(supervised.created(), "submit")
    other = ward.practice.add("supervisor")
    for verb, body in (("co-sign", {}), ("return", {"reason": "Because"})):
        assert refused(ward.step(note, verb, other, **body), "NOT_FOUND", 404)
        assert refused(ward.step(note, verb, ward.clinician, **body), "FORBIDDEN", 403)
        assert refused(ward.step(note, verb, ward.practice.admin, **body), "FORBIDDEN", 403)
    # a supervisor of another team who sees the client, sees the note once it is signed, and has no say in it
    reader = ward.practice.add("supervisor", "clinician")
    ward.session(clinician=reader)
    signed = ward.done(note, "co-sign", ward.supervisor)
    assert ward.read(signed, reader)["status"] == "SIGNED"
    assert refused(ward.step(signed, "co-sign", reader), "NOT_YOUR_NOTE", 403)
    assert refused(ward.step(signed, "return", reader, reason="Because"), "NOT_YOUR_NOTE", 403)


def test_nobody_co_signs_their_own(ward: Ward) -> None:
    """A supervisor who sees clients hands in to a supervisor of their own, where the licence asks for it."""
    above = ward.practice.add("supervisor")
    both = ward.practice.add("supervisor", "clinician", supervisor=above)
    license_as(ward.practice, both, "LPC")
    client_id = make_client(ward.practice, both)
    note = ward.created(both, client_id=client_id)
    assert refused(ward.step(note, "sign", both), "REVIEW_NEEDED")
    assert refused(ward.step(note, "co-sign", both), "REVIEW_NEEDED")
    note = ward.done(note, "submit", both)
    assert refused(ward.step(note, "co-sign", both), "NOTE_IN_REVIEW")
    assert refused(ward.step(note, "return", both, reason="Because"), "NOT_YOUR_NOTE", 403)
    assert ward.done(note, "co-sign", above)["status"] == "SIGNED"


def test_who_is_supervised(ward: Ward) -> None:
    """Whoever has a supervisor and a licence that asks for hours of supervision, as the practice has set them."""

    def answer(license_type: str | None, by: Person) -> int:
        license_as(ward.practice, by, license_type)
        client_id = make_client(ward.practice, by)
        return ward.step(ward.created(by, client_id=client_id), "sign", by).status_code

    assert [answer(license_type, ward.clinician) for license_type in ("LPC", "APC", "LMSW")] == [409, 409, 409]
    assert [answer(license_type, ward.clinician) for license_type in ("LCSW", "PSYCHOLOGIST", None)] == [200, 200, 200]
    assert answer("LPC", ward.colleague) == 200  # who has no supervisor
    assert refused(
        ward.step(ward.created(ward.colleague, client_id=make_client(ward.practice, ward.colleague)), "submit",
                  ward.colleague), "NO_SUPERVISOR",
    )  # fmt: skip
    with ward.practice.work() as work:
        set_rule(work, "supervision_hours_lpc", 0, NOW.date())
    assert answer("LPC", ward.clinician) == 200


def test_whoever_need_not_can_hand_in_all_the_same(ward: Ward) -> None:
    note = ward.done(ward.created(), "submit")
    assert ward.done(note, "co-sign", ward.supervisor)["signed_by_id"] == str(ward.supervisor.staff_id)


def test_a_note_that_came_in_for_review_is_signed_by_the_supervisor(ward: Ward) -> None:
    note = ward.get(f"/notes/{came_in(ward, 'As it came.', status='IN_REVIEW')}").json()
    signed = ward.done(note, "co-sign", ward.supervisor)
    assert (signed["status"], ward.verification(note)["problems"]) == ("SIGNED", [])


def test_only_somebody_signed_in_signs(ward: Ward) -> None:
    note = ward.created()
    nobody = Actor(ward.practice.id, None, ward.clinician.staff_id, frozenset({"clinician"}))
    with pytest.raises(NotYourNote, match="signed in"), ward.practice.house.work(nobody, NOW) as work:
        sign_note(work, UUID(note["id"]))
    assert ward.counts()["note_signatures"] == 0
