"""Templates over HTTP: which one applies to a note, and when."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders.notes import SOAP
from tests.support.builders.schedule import make_service
from tests.support.drivers.booking import assert_error
from tests.support.drivers.notes import NotesApi

THREE = [
    {"key": "focus", "title": "Focus"},
    {"key": "homework", "title": "Homework", "prompt": "What until next time?"},
    {"key": "extra", "title": "Anything else", "required": False},
]


def set_template(notes_api: NotesApi, by: Any = None, **values: Any) -> Any:
    body = {"type": "PROGRESS_NOTE", "sections": THREE} | values
    return notes_api.post("/note-templates", by or notes_api.practice.admin, **body)


def list_effective_keys(notes_api: NotesApi, **query: Any) -> list[str]:
    answer = notes_api.get("/note-templates/effective", **({"type": "PROGRESS_NOTE"} | query))
    assert answer.status_code == 200, answer.text
    return [section["key"] for section in answer.json()["sections"]]


def test_service_templates_override_practice_templates_and_those_the_defaults(notes_api: NotesApi) -> None:
    make_service(notes_api.practice, "OTHER")
    usual = ["focus", "interventions", "response", "progress", "next_steps"]
    assert list_effective_keys(notes_api) == list_effective_keys(notes_api, service_code="TALK") == usual
    of_all = set_template(notes_api)
    assert of_all.status_code == 201, of_all.text
    notes_api.now += timedelta(minutes=1)
    set_template(notes_api, sections=THREE[:1], service_code="TALK")
    notes_api.now += timedelta(minutes=1)
    assert (
        list_effective_keys(notes_api)
        == list_effective_keys(notes_api, service_code="OTHER")
        == ["focus", "homework", "extra"]
    )
    assert list_effective_keys(notes_api, service_code="TALK") == ["focus"]
    unknown = notes_api.get("/note-templates/effective", type="PROGRESS_NOTE", service_code="NONE")
    assert_error(unknown, "NOT_FOUND", 404)
    assert list_effective_keys(notes_api, type="SOAP_NOTE") == ["subjective", "objective", "assessment", "plan"]
    listed = notes_api.get("/note-templates", type="PROGRESS_NOTE").json()["items"]
    assert [template["service_code"] for template in listed] == ["TALK", None]
    assert listed[1] == of_all.json()
    (first, second) = notes_api.load_audit_entries("note_template.set")
    assert (first.details["service_code"], second.details["service_code"]) == (None, "TALK")


def test_a_note_is_written_by_the_template_of_its_service(notes_api: NotesApi) -> None:
    set_template(notes_api, sections=THREE, service_code="TALK")
    note = notes_api.create_note(
        type="PROGRESS_NOTE", sections={"focus": "Sleep."}, appointment_id=notes_api.make_session()
    )
    assert [part["title"] for part in note["sections"]] == ["Focus", "Homework", "Anything else"]
    assert assert_error(notes_api.post_step(note, "sign"), "NOTE_INCOMPLETE")["details"]["problems"] == [
        "Homework is empty."
    ]
    saved = notes_api.save(note, sections={"focus": "Sleep.", "homework": "A diary."}).json()
    assert notes_api.take_step(saved, "sign")["status"] == "SIGNED"
    without = notes_api.create_note(type="PROGRESS_NOTE", sections={"interventions": "Listened."})
    assert len(without["sections"]) == 5


def test_a_note_is_finished_by_the_template_it_began_with(notes_api: NotesApi) -> None:
    begun = notes_api.create_note(type="PROGRESS_NOTE", sections={"focus": "Sleep.", "interventions": "Listened."})
    notes_api.now += timedelta(minutes=1)
    set_template(notes_api)
    notes_api.now += timedelta(minutes=1)
    full = dict.fromkeys(("focus", "interventions", "response", "progress", "next_steps"), "Said.")
    assert assert_error(notes_api.save(begun, sections={"homework": "A diary."}), "VALIDATION_ERROR", 422)
    note = notes_api.take_step(notes_api.save(begun, sections=full).json(), "sign")
    amended = notes_api.take_step(note, "amend", sections=full | {"focus": "Worry."}, reason="A slip")
    assert amended["sections"][0]["text"] == "Worry."
    assert notes_api.post_note(type="PROGRESS_NOTE", sections=full).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"sections": []},
        {"sections": [{"key": "Focus", "title": "Focus"}]},
        {"sections": [{"key": "text", "title": "Text"}]},
        {"sections": [THREE[0], THREE[0]]},
        {"sections": [{"key": "focus", "title": "Focus", "required": False}]},
        {"sections": [{"key": "focus", "title": "Focus", "prompt": "What?\x00"}]},
        {"type": "SOAP_NOTE"},
        {"type": "LETTER"},
        {"service_code": "NONE"},
    ],
)
def test_invalid_templates_are_refused(notes_api: NotesApi, wrong: dict[str, Any]) -> None:
    assert set_template(notes_api, **wrong).status_code == 422
    assert notes_api.get("/note-templates").json()["items"] == []


def test_only_admins_set_templates(notes_api: NotesApi) -> None:
    for by in (notes_api.clinician, notes_api.supervisor):
        assert assert_error(set_template(notes_api, by), "FORBIDDEN", 403)
    titles = [{"key": key, "title": title} for key, title in zip(SOAP, ("S", "O", "A", "P"), strict=True)]
    assert set_template(notes_api, type="SOAP_NOTE", sections=titles).status_code == 201
    assert [part["title"] for part in notes_api.create_note()["sections"]] == ["S", "O", "A", "P"]
