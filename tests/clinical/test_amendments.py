"""What is done to a signed note: amended, added to, shared; and that what was signed stays as it was."""

from datetime import timedelta
from typing import Any

from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW
from tests.support.builders.schedule import make_portal_client
from tests.support.drivers.booking import refused
from tests.support.drivers.http import code_of
from tests.support.drivers.notes import Ward, came_in

OTHERWISE = SOAP | {"plan": "Every second week."}


def amend(ward: Ward, note: dict[str, Any], **more: Any) -> dict[str, Any]:
    return ward.done(note, "amend", **{"sections": OTHERWISE, "reason": "A wrong interval"} | more)


def add(ward: Ward, note: dict[str, Any], text: str) -> dict[str, Any]:
    return ward.done(note, "addendum", text=text, reason="Came later")


def test_a_signed_note_is_amended_and_what_was_signed_stays(ward: Ward) -> None:
    signed = ward.signed(appointment_id=ward.session())
    ward.now = NOW + timedelta(days=40)  # its week is long over, and a signed session is not locked
    amended = amend(ward, signed, diagnoses=["F43.2"])
    assert (amended["status"], amended["signed_at"], amended["signed_by_id"]) == (
        *("AMENDED", signed["signed_at"]),
        signed["signed_by_id"],
    )
    assert (amended["sections"][3]["text"], amended["diagnoses"]) == ("Every second week.", ["F43.2"])
    found = ward.history(signed)
    assert [(one["kind"], one["reason"], one["sections"][3]["text"]) for one in found["versions"]] == [
        ("CONTENT", None, SOAP["plan"]),
        ("AMENDMENT", "A wrong interval", "Every second week."),
    ]
    assert [(one["kind"], one["version_number"]) for one in found["signatures"]] == [("AUTHOR", 1), ("AMENDMENT", 2)]
    assert (ward.text_of(signed) or "").endswith("Plan\nEvery second week.\n\nDiagnoses\nF43.2")
    assert ward.verification(signed)["problems"] == []


def test_addenda_stand_below_what_the_note_says_whatever_becomes_of_that(ward: Ward) -> None:
    note = add(ward, ward.signed(), "The lab called.")
    note = add(ward, note, "The school called, too.")
    note = amend(ward, note)
    assert [one["text"] for one in note["addenda"]] == ["The lab called.", "The school called, too."]
    assert (ward.text_of(note) or "").endswith(
        "Plan\nEvery second week.\n\nAddendum 1\nThe lab called.\n\nAddendum 2\nThe school called, too."
    )
    kinds = [one["kind"] for one in ward.history(note)["signatures"]]
    assert kinds == ["AUTHOR", "ADDENDUM", "ADDENDUM", "AMENDMENT"]
    assert ward.verification(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 4, "signatures": 4},
        **{"signed_elsewhere": False, "problems": []},
    }


def test_only_what_is_signed_is_amended_and_only_into_something_complete(ward: Ward) -> None:
    draft, signed = ward.created(), ward.signed()
    before = ward.counts()
    for verb, body in (("amend", {"sections": SOAP, "reason": "Because"}),
                       ("addendum", {"text": "More.", "reason": "Because"}), ("share", {})):  # fmt: skip
        assert refused(ward.step(draft, verb, **body), "NOTE_NOT_SIGNED")
    assert refused(ward.step(signed, "amend", sections={"plan": "x"}, reason="Because"), "NOTE_INCOMPLETE")
    assert refused(ward.step(signed, "amend", sections={"text": "x"}, reason="Because"), "VALIDATION_ERROR", 422)
    for wrong in ({"sections": SOAP}, {"sections": SOAP, "reason": " "}, {"reason": "Because"}):
        assert ward.step(signed, "amend", **wrong).status_code == 422
    for wrong in ({"text": "More."}, {"text": " ", "reason": "Because"}):
        assert ward.step(signed, "addendum", **wrong).status_code == 422
    amend(ward, signed)
    assert code_of(ward.step(signed, "amend", sections=SOAP, reason="Of the first")) == "STALE"
    assert ward.counts() == before | {"note_versions": 3, "note_signatures": 2}


def test_a_note_that_was_signed_before_it_came_is_amended_under_the_first_signature_here(ward: Ward) -> None:
    then = NOW - timedelta(days=80)
    signed = {"status": "SIGNED", "signed_at": then, "signed_by_id": ward.clinician.staff_id}
    note = ward.get(f"/notes/{came_in(ward, 'As it came.', **signed)}").json()
    assert ward.verification(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 0, "signatures": 0},
        **{"signed_elsewhere": True, "problems": []},
    }
    note = ward.done(note, "amend", sections={"text": "As it should have come."}, reason="A slip")
    note = add(ward, note, "And more.")
    assert note["signed_at"] == then.isoformat().replace("+00:00", "Z")
    assert ward.text_of(note) == "As it should have come.\n\nAddendum 1\nAnd more."
    assert [one["sections"][0]["text"] for one in ward.history(note)["versions"]] == [
        "As it came.", "As it should have come.", "And more.",
    ]  # fmt: skip
    assert ward.verification(note) == {
        **{"note_id": note["id"], "intact": True, "versions": 3, "signatures": 2},
        **{"signed_elsewhere": True, "problems": []},
    }


def test_a_client_reads_what_is_shared_and_not_what_colleagues_say_about_it(ward: Ward) -> None:
    person = make_portal_client(ward.practice, ward.clinician)
    draft = ward.created(client_id=person.staff_id)
    note = ward.done(draft, "submit")
    note = ward.done(note, "return", ward.supervisor, reason="A plan, please")
    note = ward.done(ward.save(note, sections=OTHERWISE).json(), "sign")
    add(ward, note, "The lab called.")
    assert ward.get(f"/notes/{note['id']}", person).status_code == 404
    assert ward.get("/notes", person).json()["items"] == []
    shared = ward.done(ward.read(note), "share")
    assert shared["shared_at"] is not None
    seen = ward.read(note, person)
    assert (seen["sections"][3]["text"], seen["addenda"][0]["text"]) == ("Every second week.", "The lab called.")
    assert (seen["returns"], seen["addenda"][0]["reason"]) == ([], None)
    history = ward.history(note, person)
    assert [(one["number"], one["reason"]) for one in history["versions"]] == [(2, None), (3, None)]
    assert (history["returns"], [one["version_number"] for one in history["signatures"]]) == ([], [2, 3])
    assert "A plan, please" not in str(history)
    assert [one["id"] for one in ward.get("/notes", person).json()["items"]] == [note["id"]]
    other = make_portal_client(ward.practice, ward.clinician)
    assert ward.get(f"/notes/{note['id']}", other).status_code == 404
    ward.done(shared, "unshare")
    assert ward.get(f"/notes/{note['id']}", person).status_code == 404
    assert [len(ward.recorded(action)) for action in ("note.shared", "note.unshared")] == [1, 1]
