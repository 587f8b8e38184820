"""Amending, extending and sharing signed notes, which never changes the signed version."""

from datetime import timedelta
from typing import Any

from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW
from tests.support.builders.schedule import make_portal_client
from tests.support.drivers.booking import assert_error
from tests.support.drivers.http import error_code
from tests.support.drivers.notes import NotesApi, import_note

OTHERWISE = SOAP | {"plan": "Every second week."}


def amend(notes_api: NotesApi, note: dict[str, Any], **body: Any) -> dict[str, Any]:
    return notes_api.take_step(note, "amend", **{"sections": OTHERWISE, "reason": "A wrong interval"} | body)


def add_addendum(notes_api: NotesApi, note: dict[str, Any], text: str) -> dict[str, Any]:
    return notes_api.take_step(note, "addendum", text=text, reason="Came later")


def test_amending_keeps_the_signed_version(notes_api: NotesApi) -> None:
    signed = notes_api.create_signed_note(appointment_id=notes_api.make_session())
    notes_api.now = NOW + timedelta(days=40)  # its deadline has passed, but signed sessions are not locked
    amended = amend(notes_api, signed, diagnoses=["F43.2"])
    assert (amended["status"], amended["signed_at"], amended["signed_by_id"]) == (
        *("AMENDED", signed["signed_at"]),
        signed["signed_by_id"],
    )
    assert (amended["sections"][3]["text"], amended["diagnoses"]) == ("Every second week.", ["F43.2"])
    history = notes_api.read_history(signed)
    assert [
        (version["kind"], version["reason"], version["sections"][3]["text"]) for version in history["versions"]
    ] == [
        ("CONTENT", None, SOAP["plan"]),
        ("AMENDMENT", "A wrong interval", "Every second week."),
    ]
    assert [(signature["kind"], signature["version_number"]) for signature in history["signatures"]] == [
        ("AUTHOR", 1),
        ("AMENDMENT", 2),
    ]
    assert (notes_api.load_text(signed) or "").endswith("Plan\nEvery second week.\n\nDiagnoses\nF43.2")
    assert notes_api.verify(signed)["problems"] == []


def test_addenda_follow_the_content_also_after_an_amendment(notes_api: NotesApi) -> None:
    note = add_addendum(notes_api, notes_api.create_signed_note(), "The lab called.")
    note = add_addendum(notes_api, note, "The school called, too.")
    note = amend(notes_api, note)
    assert [addendum["text"] for addendum in note["addenda"]] == ["The lab called.", "The school called, too."]
    assert (notes_api.load_text(note) or "").endswith(
        "Plan\nEvery second week.\n\nAddendum 1\nThe lab called.\n\nAddendum 2\nThe school called, too."
    )
    kinds = [signature["kind"] for signature in notes_api.read_history(note)["signatures"]]
    assert kinds == ["AUTHOR", "ADDENDUM", "ADDENDUM", "AMENDMENT"]
    assert notes_api.verify(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 4, "signatures": 4},
        **{"has_imported_signature": False, "problems": []},
    }


def test_only_signed_notes_are_amended_and_only_with_complete_content(notes_api: NotesApi) -> None:
    draft, signed = notes_api.create_note(), notes_api.create_signed_note()
    before = notes_api.count_rows()
    for verb, body in (("amend", {"sections": SOAP, "reason": "Because"}),
                       ("addendum", {"text": "More.", "reason": "Because"}), ("share", {})):  # fmt: skip
        assert assert_error(notes_api.post_step(draft, verb, **body), "NOTE_NOT_SIGNED")
    assert assert_error(
        notes_api.post_step(signed, "amend", sections={"plan": "x"}, reason="Because"), "NOTE_INCOMPLETE"
    )
    assert assert_error(
        notes_api.post_step(signed, "amend", sections={"text": "x"}, reason="Because"), "VALIDATION_ERROR", 422
    )
    for wrong in ({"sections": SOAP}, {"sections": SOAP, "reason": " "}, {"reason": "Because"}):
        assert notes_api.post_step(signed, "amend", **wrong).status_code == 422
    for wrong in ({"text": "More."}, {"text": " ", "reason": "Because"}):
        assert notes_api.post_step(signed, "addendum", **wrong).status_code == 422
    amend(notes_api, signed)
    assert error_code(notes_api.post_step(signed, "amend", sections=SOAP, reason="Of the first")) == "STALE"
    assert notes_api.count_rows() == before | {"note_versions": 3, "note_signatures": 2}


def test_an_imported_signed_note_gets_its_first_signature_with_an_amendment(notes_api: NotesApi) -> None:
    then = NOW - timedelta(days=80)
    signed = {"status": "SIGNED", "signed_at": then, "signed_by_id": notes_api.clinician.staff_id}
    note = notes_api.get(f"/notes/{import_note(notes_api, 'As it came.', **signed)}").json()
    assert notes_api.verify(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 0, "signatures": 0},
        **{"has_imported_signature": True, "problems": []},
    }
    note = notes_api.take_step(note, "amend", sections={"text": "As it should have come."}, reason="A slip")
    note = add_addendum(notes_api, note, "And more.")
    assert note["signed_at"] == then.isoformat().replace("+00:00", "Z")
    assert notes_api.load_text(note) == "As it should have come.\n\nAddendum 1\nAnd more."
    assert [version["sections"][0]["text"] for version in notes_api.read_history(note)["versions"]] == [
        "As it came.", "As it should have come.", "And more.",
    ]  # fmt: skip
    assert notes_api.verify(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 3, "signatures": 2},
        **{"has_imported_signature": True, "problems": []},
    }


def test_a_client_reads_shared_notes_without_internal_reasons(notes_api: NotesApi) -> None:
    person = make_portal_client(notes_api.practice, notes_api.clinician)
    draft = notes_api.create_note(client_id=person.staff_id)
    note = notes_api.take_step(draft, "submit")
    note = notes_api.take_step(note, "return", notes_api.supervisor, reason="A plan, please")
    note = notes_api.take_step(notes_api.save(note, sections=OTHERWISE).json(), "sign")
    add_addendum(notes_api, note, "The lab called.")
    assert notes_api.get(f"/notes/{note['id']}", person).status_code == 404
    assert notes_api.get("/notes", person).json()["items"] == []
    shared = notes_api.take_step(notes_api.read(note), "share")
    assert shared["shared_at"] is not None
    view = notes_api.read(note, person)
    assert (view["sections"][3]["text"], view["addenda"][0]["text"]) == ("Every second week.", "The lab called.")
    assert (view["review_returns"], view["addenda"][0]["reason"]) == ([], None)
    history = notes_api.read_history(note, person)
    assert [(version["number"], version["reason"]) for version in history["versions"]] == [(2, None), (3, None)]
    assert (history["review_returns"], [signature["version_number"] for signature in history["signatures"]]) == (
        [],
        [2, 3],
    )
    assert "A plan, please" not in str(history)
    assert [item["id"] for item in notes_api.get("/notes", person).json()["items"]] == [note["id"]]
    other = make_portal_client(notes_api.practice, notes_api.clinician)
    assert notes_api.get(f"/notes/{note['id']}", other).status_code == 404
    notes_api.take_step(shared, "unshare")
    assert notes_api.get(f"/notes/{note['id']}", person).status_code == 404
    assert [len(notes_api.load_audit_entries(action)) for action in ("note.shared", "note.unshared")] == [1, 1]
