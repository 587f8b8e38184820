"""Help with writing: off until somebody connects it, and never more than a draft that a person signs."""

import pytest

from practice.security.installation import Installation
from tests.support.builders.notes import SOAP
from tests.support.drivers.booking import refused
from tests.support.drivers.http import code_of
from tests.support.drivers.notes import FakeHelp, NotesApi, license_as


@pytest.fixture
def parrot(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> FakeHelp:
    fake = FakeHelp()
    monkeypatch.setattr(installation, "writing_help", fake)
    return fake


def test_it_is_off_by_default(own_installation: Installation, installation: Installation, notes_api: NotesApi,
                              monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    assert own_installation.writing_help is None
    monkeypatch.setattr(installation, "writing_help", None)
    note = notes_api.created()
    for answer in (
        notes_api.step(note, "generate", source="slept badly"),
        notes_api.post("/notes/improve", text="slept badly"),
        notes_api.step(note, "suggest-diagnoses"),
    ):
        assert refused(answer, "WRITING_HELP_OFF")
    assert notes_api.read(note) == note


def test_what_is_generated_is_a_draft_until_a_person_signs_it(notes_api: NotesApi, parrot: FakeHelp) -> None:
    note = notes_api.created(diagnoses=["F41.1"])
    written = notes_api.done(note, "generate", source="slept badly")
    assert (written["status"], written["generated"], written["diagnoses"]) == ("DRAFT", True, ["F41.1"])
    assert [part["text"] for part in written["sections"]][:2] == ["Subjective: slept badly", "Objective: slept badly"]
    assert parrot.asked == ["slept badly"]
    assert [one["generated"] for one in notes_api.history(note)["versions"]] == [False, True]
    (entry,) = notes_api.recorded("note.generated")
    assert entry.details == {"note_id": note["id"], "provider": "parrot"}
    signed = notes_api.done(written, "sign")
    assert signed["generated"] is True  # it says so for good, beside the name of who signed it
    assert refused(notes_api.step(signed, "generate", source="again"), "NOTE_SIGNED")
    assert parrot.asked == ["slept badly"]


def test_it_helps_the_author_with_what_they_have_read(notes_api: NotesApi, parrot: FakeHelp) -> None:
    license_as(notes_api.practice, notes_api.clinician, "LPC")
    notes_api.session(clinician=notes_api.colleague)
    note = notes_api.created()
    assert refused(notes_api.step(note, "generate", notes_api.colleague, source="x"), "NOT_FOUND", 404)
    assert refused(notes_api.step(note, "generate", notes_api.supervisor, source="x"), "FORBIDDEN", 403)
    saved = notes_api.save(note).json()
    assert code_of(notes_api.step(note, "generate", source="x")) == "STALE"
    handed_in = notes_api.done(saved, "submit")
    assert refused(notes_api.step(handed_in, "generate", source="x"), "NOTE_IN_REVIEW")
    signed = notes_api.done(handed_in, "co-sign", notes_api.supervisor)
    assert refused(notes_api.step(signed, "suggest-diagnoses", notes_api.colleague), "NOT_YOUR_NOTE", 403)
    assert parrot.asked == []


def test_wording_and_codes_are_proposed_and_kept_nowhere(notes_api: NotesApi, parrot: FakeHelp) -> None:
    assert notes_api.post("/notes/improve", text="slept badly").json() == {"text": "Slept badly", "provider": "parrot"}
    note = notes_api.created(sections=SOAP)
    found = notes_api.step(note, "suggest-diagnoses")
    assert found.json() == {"diagnoses": ["F41.1", "F43.2"], "provider": "parrot"}
    assert notes_api.read(note) == note
    assert notes_api.recorded("text.improved")[0].details == {"provider": "parrot"}
