"""Amending, extending and sharing signed notes, which never changes the signed version."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW
from tests.support.builders.schedule import make_portal_client
from tests.support.drivers.booking import assert_error
from tests.support.drivers.http import error_code
from tests.support.drivers.notes import NotesApi, import_note, set_license

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


# Amendments by supervised clinicians


@pytest.fixture
def co_signed(notes_api: NotesApi) -> dict[str, Any]:
    """Create a note of a supervised clinician that the supervisor has co-signed an hour after the signature."""
    set_license(notes_api.practice, notes_api.clinician, "APC")
    note = notes_api.take_step(notes_api.create_note(appointment_id=notes_api.make_session()), "submit")
    notes_api.now = NOW + timedelta(hours=1)
    note = notes_api.take_step(note, "co-sign", notes_api.supervisor)
    notes_api.now = NOW + timedelta(hours=2)
    return note


def list_signers(version: dict[str, Any]) -> list[tuple[str, str]]:
    return [(signer["kind"], signer["signed_by_id"]) for signer in version["signatures"]]


def load_messages(notes_api: NotesApi, note: dict[str, Any]) -> list[tuple[str, Any]]:
    query = "select kind, staff_id from messages where tenant_id = :tenant_id and about_id = :id order by due_at, id"
    return [tuple(row) for row in notes_api.load_rows(query, id=note["id"])]


def test_a_supervised_amendment_counts_once_it_is_co_signed(notes_api: NotesApi, co_signed: dict[str, Any]) -> None:
    author, supervisor = str(notes_api.clinician.staff_id), str(notes_api.supervisor.staff_id)
    both = [("AUTHOR", author), ("CO_SIGNATURE", supervisor)]
    assert list_signers(co_signed) == both
    amended = amend(notes_api, co_signed)
    # until then the note is as it was co-signed, for everybody
    assert (amended["status"], amended["signed_at"], amended["version_in_review"]) == (
        *("SIGNED", co_signed["signed_at"]),
        2,
    )
    reader = notes_api.practice.add("clinician")
    notes_api.make_session(clinician=reader, status="COMPLETED", status_at=NOW)
    for person in (notes_api.clinician, notes_api.supervisor, reader):
        seen = notes_api.read(amended, person)
        assert (seen["sections"][3]["text"], list_signers(seen)) == (SOAP["plan"], both)
        waiting = seen["in_review"]
        if person is reader:
            assert waiting is None
        else:
            assert (waiting["reason"], waiting["review"]) == ("A wrong interval", "IN_REVIEW")
            assert (waiting["sections"][3]["text"], list_signers(waiting)) == (
                "Every second week.",
                [("AMENDMENT", author)],
            )
    assert (notes_api.load_text(amended) or "").endswith(SOAP["plan"])
    assert load_messages(notes_api, amended)[-1] == ("AMENDMENT_HANDED_IN", notes_api.supervisor.staff_id)
    (listed,) = notes_api.get("/notes", notes_api.supervisor, in_review=True).json()["items"]
    assert (listed["id"], listed["version_in_review"]) == (amended["id"], 2)
    assert notes_api.get("/notes", notes_api.supervisor, in_review=False).json()["items"] == []
    assert notes_api.verify(amended)["problems"] == []

    for verb, body in (("amend", {"sections": SOAP, "reason": "Once more"}),
                       ("addendum", {"text": "More.", "reason": "Came later"}), ("sign", {})):  # fmt: skip
        assert_error(notes_api.post_step(amended, verb, **body), "NOTE_IN_REVIEW")
    assert assert_error(notes_api.post_step(amended, "co-sign", notes_api.clinician), "FORBIDDEN", 403)
    assert error_code(notes_api.post_step(co_signed, "co-sign", notes_api.supervisor)) == "STALE"
    approved = notes_api.take_step(amended, "co-sign", notes_api.supervisor)
    assert (approved["status"], approved["version_in_review"], approved["in_review"]) == ("AMENDED", None, None)
    assert (approved["signed_at"], approved["signed_by_id"]) == (co_signed["signed_at"], supervisor)
    assert approved["sections"][3]["text"] == "Every second week."
    assert list_signers(approved) == [("AMENDMENT", author), ("CO_SIGNATURE", supervisor)]
    assert (notes_api.load_text(approved) or "").endswith("Every second week.")
    history = notes_api.read_history(approved)
    assert [(version["number"], version["review"], list_signers(version)) for version in history["versions"]] == [
        (1, None, both),
        (2, "APPROVED", [("AMENDMENT", author), ("CO_SIGNATURE", supervisor)]),
    ]
    assert notes_api.verify(approved)["problems"] == []
    assert assert_error(notes_api.post_step(approved, "co-sign", notes_api.supervisor), "NOTE_SIGNED")


def test_a_returned_amendment_never_counts(notes_api: NotesApi, co_signed: dict[str, Any]) -> None:
    amended = amend(notes_api, co_signed)
    notes_api.now += timedelta(minutes=1)
    returned = notes_api.take_step(amended, "return", notes_api.supervisor, reason="Say since when")
    assert (returned["status"], returned["version_in_review"]) == ("SIGNED", None)
    assert returned["sections"][3]["text"] == SOAP["plan"]
    assert returned["review_returns"][0]["reason"] == "Say since when"
    assert load_messages(notes_api, amended)[-1] == ("AMENDMENT_RETURNED", notes_api.clinician.staff_id)
    assert assert_error(notes_api.post_step(returned, "co-sign", notes_api.supervisor), "NOTE_SIGNED")
    assert assert_error(notes_api.post_step(returned, "withdraw"), "NOT_IN_REVIEW")
    again = amend(notes_api, returned, sections=SOAP | {"plan": "Every second week since May."})
    withdrawn = notes_api.take_step(again, "withdraw")
    assert (withdrawn["status"], withdrawn["version_in_review"]) == ("SIGNED", None)
    last = amend(notes_api, withdrawn, sections=SOAP | {"plan": "Every third week."})
    approved = notes_api.take_step(last, "co-sign", notes_api.supervisor)
    assert approved["sections"][3]["text"] == "Every third week."
    reviews = [(version["number"], version["review"]) for version in notes_api.read_history(approved)["versions"]]
    assert reviews == [(1, None), (2, "NOT_APPROVED"), (3, "NOT_APPROVED"), (4, "APPROVED")]
    assert (notes_api.load_text(approved) or "").endswith("Every third week.")
    assert notes_api.verify(approved)["problems"] == []
    for name in ("returned", "withdrawn", "co_signed"):
        assert len(notes_api.load_audit_entries(f"note.amendment_{name}")) == 1


def test_other_clinicians_see_only_what_was_in_force(notes_api: NotesApi, co_signed: dict[str, Any]) -> None:
    reader = notes_api.practice.add("clinician")
    notes_api.make_session(clinician=reader, status="COMPLETED", status_at=NOW)

    def read(person: Any) -> tuple[list[int], list[int], list[str]]:
        seen, history = notes_api.read(co_signed, person), notes_api.read_history(co_signed, person)
        assert seen["review_returns"] == history["review_returns"]
        return (
            [version["number"] for version in history["versions"]],
            [signature["version_number"] for signature in history["signatures"]],
            [item["reason"] for item in seen["review_returns"]],
        )

    amended = add_addendum(notes_api, co_signed, "The lab called.")
    assert [read(person) for person in (reader, notes_api.clinician, notes_api.supervisor)] == [
        ([1], [1, 1], []),
        ([1, 2], [1, 1, 2], []),
        ([1, 2], [1, 1, 2], []),
    ]
    returned = notes_api.take_step(amended, "return", notes_api.supervisor, reason="Say since when")
    assert [read(person) for person in (reader, notes_api.clinician, notes_api.supervisor)] == [
        ([1], [1, 1], []),
        ([1, 2], [1, 1, 2], ["Say since when"]),
        ([1, 2], [1, 1, 2], ["Say since when"]),
    ]
    co_signed_again = notes_api.take_step(amend(notes_api, returned), "co-sign", notes_api.supervisor)
    assert co_signed_again["status"] == "AMENDED"
    assert read(reader) == ([1, 3], [1, 1, 3, 3], [])


def test_supervised_addenda_and_bulk_co_signing(notes_api: NotesApi, co_signed: dict[str, Any]) -> None:
    extended = add_addendum(notes_api, co_signed, "The lab called.")
    assert (extended["addenda"], extended["in_review"]["kind"]) == ([], "ADDENDUM")
    draft = notes_api.take_step(notes_api.create_note(), "submit")
    (done, also) = notes_api.post(
        "/notes/bulk-co-sign", notes_api.supervisor, note_ids=[extended["id"], draft["id"]]
    ).json()["items"]
    assert (done["succeeded"], also["succeeded"]) == (True, True)
    note = notes_api.read(extended)
    assert [(item["text"], list_signers(item)) for item in note["addenda"]] == [
        (
            "The lab called.",
            [("ADDENDUM", str(notes_api.clinician.staff_id)), ("CO_SIGNATURE", str(notes_api.supervisor.staff_id))],
        )
    ]
    assert (note["status"], note["signed_at"]) == ("AMENDED", co_signed["signed_at"])
    assert notes_api.read(draft)["status"] == "SIGNED"
    for item in (note, draft):
        assert notes_api.verify(item)["problems"] == []


def test_a_client_sees_an_amendment_once_it_counts(notes_api: NotesApi) -> None:
    person = make_portal_client(notes_api.practice, notes_api.clinician)
    set_license(notes_api.practice, notes_api.clinician, "LMSW")
    note = notes_api.take_step(notes_api.create_note(client_id=person.staff_id), "submit")
    note = notes_api.take_step(notes_api.take_step(note, "co-sign", notes_api.supervisor), "share")
    note = amend(notes_api, note)

    def read() -> tuple[str, Any, int]:
        seen, history = notes_api.read(note, person), notes_api.read_history(note, person)
        return seen["sections"][3]["text"], seen["in_review"], len(history["versions"])

    assert read() == (SOAP["plan"], None, 1)
    note = notes_api.take_step(note, "return", notes_api.supervisor, reason="Say since when")
    assert read() == (SOAP["plan"], None, 1)
    note = notes_api.take_step(amend(notes_api, note), "co-sign", notes_api.supervisor)
    assert read() == ("Every second week.", None, 2)


def test_an_imported_note_of_a_supervised_clinician_is_amended_under_review(notes_api: NotesApi) -> None:
    set_license(notes_api.practice, notes_api.clinician, "APC")
    then = NOW - timedelta(days=80)
    signed = {"status": "SIGNED", "signed_at": then, "signed_by_id": notes_api.supervisor.staff_id}
    note = notes_api.get(f"/notes/{import_note(notes_api, 'As it came.', **signed)}").json()
    assert list_signers(note) == [("IMPORTED", str(notes_api.supervisor.staff_id))]
    note = amend(notes_api, note, sections={"text": "As it should have come."})
    assert note["sections"][0]["text"] == "As it came."
    assert list_signers(note) == [("IMPORTED", str(notes_api.supervisor.staff_id))]
    note = notes_api.take_step(note, "co-sign", notes_api.supervisor)
    assert note["sections"][0]["text"] == "As it should have come."
    assert [kind for kind, _ in list_signers(note)] == ["AMENDMENT", "CO_SIGNATURE"]
    assert notes_api.verify(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 2, "signatures": 2},
        **{"has_imported_signature": True, "problems": []},
    }
