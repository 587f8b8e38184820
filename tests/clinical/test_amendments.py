"""What is done to a signed note: amended, added to, shared; and that what was signed stays as it was."""

from datetime import timedelta
from typing import Any

from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW
from tests.support.builders.schedule import make_portal_client
from tests.support.drivers.booking import refused
from tests.support.drivers.http import code_of
from tests.support.drivers.notes import NotesApi, came_in

OTHERWISE = SOAP | {"plan": "Every second week."}


def amend(notes_api: NotesApi, note: dict[str, Any], **more: Any) -> dict[str, Any]:
    return notes_api.done(note, "amend", **{"sections": OTHERWISE, "reason": "A wrong interval"} | more)


def add(notes_api: NotesApi, note: dict[str, Any], text: str) -> dict[str, Any]:
    return notes_api.done(note, "addendum", text=text, reason="Came later")


def test_a_signed_note_is_amended_and_what_was_signed_stays(notes_api: NotesApi) -> None:
    signed = notes_api.signed(appointment_id=notes_api.session())
    notes_api.now = NOW + timedelta(days=40)  # its week is long over, and a signed session is not locked
    amended = amend(notes_api, signed, diagnoses=["F43.2"])
    assert (amended["status"], amended["signed_at"], amended["signed_by_id"]) == (
        *("AMENDED", signed["signed_at"]),
        signed["signed_by_id"],
    )
    assert (amended["sections"][3]["text"], amended["diagnoses"]) == ("Every second week.", ["F43.2"])
    found = notes_api.history(signed)
    assert [(one["kind"], one["reason"], one["sections"][3]["text"]) for one in found["versions"]] == [
        ("CONTENT", None, SOAP["plan"]),
        ("AMENDMENT", "A wrong interval", "Every second week."),
    ]
    assert [(one["kind"], one["version_number"]) for one in found["signatures"]] == [("AUTHOR", 1), ("AMENDMENT", 2)]
    assert (notes_api.text_of(signed) or "").endswith("Plan\nEvery second week.\n\nDiagnoses\nF43.2")
    assert notes_api.verification(signed)["problems"] == []


def test_addenda_stand_below_what_the_note_says_whatever_becomes_of_that(notes_api: NotesApi) -> None:
    note = add(notes_api, notes_api.signed(), "The lab called.")
    note = add(notes_api, note, "The school called, too.")
    note = amend(notes_api, note)
    assert [one["text"] for one in note["addenda"]] == ["The lab called.", "The school called, too."]
    assert (notes_api.text_of(note) or "").endswith(
        "Plan\nEvery second week.\n\nAddendum 1\nThe lab called.\n\nAddendum 2\nThe school called, too."
    )
    kinds = [one["kind"] for one in notes_api.history(note)["signatures"]]
    assert kinds == ["AUTHOR", "ADDENDUM", "ADDENDUM", "AMENDMENT"]
    assert notes_api.verification(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 4, "signatures": 4},
        **{"signed_elsewhere": False, "problems": []},
    }


def test_only_what_is_signed_is_amended_and_only_into_something_complete(notes_api: NotesApi) -> None:
    draft, signed = notes_api.created(), notes_api.signed()
    before = notes_api.counts()
    for verb, body in (("amend", {"sections": SOAP, "reason": "Because"}),
                       ("addendum", {"text": "More.", "reason": "Because"}), ("share", {})):  # fmt: skip
        assert refused(notes_api.step(draft, verb, **body), "NOTE_NOT_SIGNED")
    assert refused(notes_api.step(signed, "amend", sections={"plan": "x"}, reason="Because"), "NOTE_INCOMPLETE")
    assert refused(notes_api.step(signed, "amend", sections={"text": "x"}, reason="Because"), "VALIDATION_ERROR", 422)
    for wrong in ({"sections": SOAP}, {"sections": SOAP, "reason": " "}, {"reason": "Because"}):
        assert notes_api.step(signed, "amend", **wrong).status_code == 422
    for wrong in ({"text": "More."}, {"text": " ", "reason": "Because"}):
        assert notes_api.step(signed, "addendum", **wrong).status_code == 422
    amend(notes_api, signed)
    assert code_of(notes_api.step(signed, "amend", sections=SOAP, reason="Of the first")) == "STALE"
    assert notes_api.counts() == before | {"note_versions": 3, "note_signatures": 2}


def test_a_note_that_was_signed_before_it_came_is_amended_under_the_first_signature_here(notes_api: NotesApi) -> None:
    then = NOW - timedelta(days=80)
    signed = {"status": "SIGNED", "signed_at": then, "signed_by_id": notes_api.clinician.staff_id}
    note = notes_api.get(f"/notes/{came_in(notes_api, 'As it came.', **signed)}").json()
    assert notes_api.verification(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 0, "signatures": 0},
        **{"signed_elsewhere": True, "problems": []},
    }
    note = notes_api.done(note, "amend", sections={"text": "As it should have come."}, reason="A slip")
    note = add(notes_api, note, "And more.")
    assert note["signed_at"] == then.isoformat().replace("+00:00", "Z")
    assert notes_api.text_of(note) == "As it should have come.\n\nAddendum 1\nAnd more."
    assert [one["sections"][0]["text"] for one in notes_api.history(note)["versions"]] == [
        "As it came.", "As it should have come.", "And more.",
    ]  # fmt: skip
    assert notes_api.verification(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 3, "signatures": 2},
        **{"signed_elsewhere": True, "problems": []},
    }


def test_a_client_reads_what_is_shared_and_not_what_colleagues_say_about_it(notes_api: NotesApi) -> None:
    person = make_portal_client(notes_api.practice, notes_api.clinician)
    draft = notes_api.created(client_id=person.staff_id)
    note = notes_api.done(draft, "submit")
    note = notes_api.done(note, "return", notes_api.supervisor, reason="A plan, please")
    note = notes_api.done(notes_api.save(note, sections=OTHERWISE).json(), "sign")
    add(notes_api, note, "The lab called.")
    assert notes_api.get(f"/notes/{note['id']}", person).status_code == 404
    assert notes_api.get("/notes", person).json()["items"] == []
    shared = notes_api.done(notes_api.read(note), "share")
    assert shared["shared_at"] is not None
    seen = notes_api.read(note, person)
    assert (seen["sections"][3]["text"], seen["addenda"][0]["text"]) == ("Every second week.", "The lab called.")
    assert (seen["returns"], seen["addenda"][0]["reason"]) == ([], None)
    history = notes_api.history(note, person)
    assert [(one["number"], one["reason"]) for one in history["versions"]] == [(2, None), (3, None)]
    assert (history["returns"], [one["version_number"] for one in history["signatures"]]) == ([], [2, 3])
    assert "A plan, please" not in str(history)
    assert [one["id"] for one in notes_api.get("/notes", person).json()["items"]] == [note["id"]]
    other = make_portal_client(notes_api.practice, notes_api.clinician)
    assert notes_api.get(f"/notes/{note['id']}", other).status_code == 404
    notes_api.done(shared, "unshare")
    assert notes_api.get(f"/notes/{note['id']}", person).status_code == 404
    assert [len(notes_api.recorded(action)) for action in ("note.shared", "note.unshared")] == [1, 1]
