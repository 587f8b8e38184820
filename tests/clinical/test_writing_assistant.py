"""Help with writing: off until somebody connects it, and never more than a draft that a person signs."""

import pytest

from practice.security.installation import Installation
from tests.support.builders.notes import SOAP
from tests.support.drivers.booking import refused
from tests.support.drivers.http import code_of
from tests.support.drivers.notes import FakeHelp, Ward, license_as


@pytest.fixture
def parrot(house: Installation, monkeypatch: pytest.MonkeyPatch) -> FakeHelp:
    fake = FakeHelp()
    monkeypatch.setattr(house, "writing_help", fake)
    return fake


def test_it_is_off_by_default(own_house: Installation, house: Installation, ward: Ward,
                              monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    assert own_house.writing_help is None
    monkeypatch.setattr(house, "writing_help", None)
    note = ward.created()
    for answer in (
        ward.step(note, "generate", source="slept badly"),
        ward.post("/notes/improve", text="slept badly"),
        ward.step(note, "suggest-diagnoses"),
    ):
        assert refused(answer, "WRITING_HELP_OFF")
    assert ward.read(note) == note


def test_what_is_generated_is_a_draft_until_a_person_signs_it(ward: Ward, parrot: FakeHelp) -> None:
    note = ward.created(diagnoses=["F41.1"])
    written = ward.done(note, "generate", source="slept badly")
    assert (written["status"], written["generated"], written["diagnoses"]) == ("DRAFT", True, ["F41.1"])
    assert [part["text"] for part in written["sections"]][:2] == ["Subjective: slept badly", "Objective: slept badly"]
    assert parrot.asked == ["slept badly"]
    assert [one["generated"] for one in ward.history(note)["versions"]] == [False, True]
    (entry,) = ward.recorded("note.generated")
    assert entry.details == {"note_id": note["id"], "provider": "parrot"}
    signed = ward.done(written, "sign")
    assert signed["generated"] is True  # it says so for good, beside the name of who signed it
    assert refused(ward.step(signed, "generate", source="again"), "NOTE_SIGNED")
    assert parrot.asked == ["slept badly"]


def test_it_helps_the_author_with_what_they_have_read(ward: Ward, parrot: FakeHelp) -> None:
    license_as(ward.practice, ward.clinician, "LPC")
    ward.session(clinician=ward.colleague)
    note = ward.created()
    assert refused(ward.step(note, "generate", ward.colleague, source="x"), "NOT_FOUND", 404)
    assert refused(ward.step(note, "generate", ward.supervisor, source="x"), "FORBIDDEN", 403)
    saved = ward.save(note).json()
    assert code_of(ward.step(note, "generate", source="x")) == "STALE"
    handed_in = ward.done(saved, "submit")
    assert refused(ward.step(handed_in, "generate", source="x"), "NOTE_IN_REVIEW")
    signed = ward.done(handed_in, "co-sign", ward.supervisor)
    assert refused(ward.step(signed, "suggest-diagnoses", ward.colleague), "NOT_YOUR_NOTE", 403)
    assert parrot.asked == []


def test_wording_and_codes_are_proposed_and_kept_nowhere(ward: Ward, parrot: FakeHelp) -> None:
    assert ward.post("/notes/improve", text="slept badly").json() == {"text": "Slept badly", "provider": "parrot"}
    note = ward.created(sections=SOAP)
    found = ward.step(note, "suggest-diagnoses")
    assert found.json() == {"diagnoses": ["F41.1", "F43.2"], "provider": "parrot"}
    assert ward.read(note) == note
    assert ward.recorded("text.improved")[0].details == {"provider": "parrot"}
