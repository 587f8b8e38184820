"""The writing assistant: off by default, and never more than a draft that a person signs."""

import pytest

from practice.security.installation import Installation
from tests.support.builders.notes import SOAP
from tests.support.drivers.booking import assert_error
from tests.support.drivers.http import error_code
from tests.support.drivers.notes import FakeWritingAssistant, NotesApi, set_license


@pytest.fixture
def parrot(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> FakeWritingAssistant:
    fake = FakeWritingAssistant()
    monkeypatch.setattr(installation, "writing_assistant", fake)
    return fake


def test_the_writing_assistant_is_off_by_default(
    own_installation: Installation, installation: Installation, notes_api: NotesApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_installation.writing_assistant is None
    monkeypatch.setattr(installation, "writing_assistant", None)
    note = notes_api.create_note()
    for answer in (
        notes_api.post_step(note, "generate", source="slept badly"),
        notes_api.post("/notes/improve", text="slept badly"),
        notes_api.post_step(note, "suggest-diagnoses"),
    ):
        assert assert_error(answer, "WRITING_HELP_OFF")
    assert notes_api.read(note) == note


def test_generated_text_is_a_draft_until_a_person_signs_it(notes_api: NotesApi, parrot: FakeWritingAssistant) -> None:
    note = notes_api.create_note(diagnoses=["F41.1"])
    written = notes_api.take_step(note, "generate", source="slept badly")
    assert (written["status"], written["generated"], written["diagnoses"]) == ("DRAFT", True, ["F41.1"])
    assert [part["text"] for part in written["sections"]][:2] == ["Subjective: slept badly", "Objective: slept badly"]
    assert parrot.sources == ["slept badly"]
    assert [version["generated"] for version in notes_api.read_history(note)["versions"]] == [False, True]
    (entry,) = notes_api.load_audit_entries("note.generated")
    assert entry.details == {"note_id": note["id"], "provider": "parrot"}
    signed = notes_api.take_step(written, "sign")
    assert signed["generated"] is True  # permanently, next to the signer
    assert assert_error(notes_api.post_step(signed, "generate", source="again"), "NOTE_SIGNED")
    assert parrot.sources == ["slept badly"]


def test_only_the_author_uses_it_and_on_the_current_version(notes_api: NotesApi, parrot: FakeWritingAssistant) -> None:
    set_license(notes_api.practice, notes_api.clinician, "LPC")
    notes_api.make_session(clinician=notes_api.colleague)
    note = notes_api.create_note()
    assert assert_error(notes_api.post_step(note, "generate", notes_api.colleague, source="x"), "NOT_FOUND", 404)
    assert assert_error(notes_api.post_step(note, "generate", notes_api.supervisor, source="x"), "FORBIDDEN", 403)
    saved = notes_api.save(note).json()
    assert error_code(notes_api.post_step(note, "generate", source="x")) == "STALE"
    handed_in = notes_api.take_step(saved, "submit")
    assert assert_error(notes_api.post_step(handed_in, "generate", source="x"), "NOTE_IN_REVIEW")
    signed = notes_api.take_step(handed_in, "co-sign", notes_api.supervisor)
    assert assert_error(notes_api.post_step(signed, "suggest-diagnoses", notes_api.colleague), "NOT_YOUR_NOTE", 403)
    assert parrot.sources == []


def test_suggestions_are_not_stored(notes_api: NotesApi, parrot: FakeWritingAssistant) -> None:
    assert notes_api.post("/notes/improve", text="slept badly").json() == {"text": "Slept badly", "provider": "parrot"}
    note = notes_api.create_note(sections=SOAP)
    answer = notes_api.post_step(note, "suggest-diagnoses")
    assert answer.json() == {"diagnoses": ["F41.1", "F43.2"], "provider": "parrot"}
    assert notes_api.read(note) == note
    assert notes_api.load_audit_entries("text.improved")[0].details == {"provider": "parrot"}
