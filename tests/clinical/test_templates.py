"""Templates over HTTP: which one a note is written by, and that what was begun by another is finished by it."""

from datetime import timedelta
from typing import Any

import pytest

from practice.store.ids import new_id
from tests.support.builders.notes import SOAP
from tests.support.builders.schedule import make_service
from tests.support.drivers.booking import refused
from tests.support.drivers.notes import NotesApi

THREE = [
    {"key": "focus", "title": "Focus"},
    {"key": "homework", "title": "Homework", "prompt": "What until next time?"},
    {"key": "extra", "title": "Anything else", "required": False},
]


def set_template(notes_api: NotesApi, by: Any = None, **more: Any) -> Any:
    body = {"kind": "PROGRESS_NOTE", "sections": THREE} | more
    return notes_api.post("/note-templates", by or notes_api.practice.admin, **body)


def effective(notes_api: NotesApi, **query: Any) -> list[str]:
    answer = notes_api.get("/note-templates/effective", **({"kind": "PROGRESS_NOTE"} | query))
    assert answer.status_code == 200, answer.text
    return [place["key"] for place in answer.json()["sections"]]


def test_the_service_s_template_counts_before_the_practice_s_and_that_before_the_usual(notes_api: NotesApi) -> None:
    other = make_service(notes_api.practice)
    usual = ["focus", "interventions", "response", "progress", "next_steps"]
    assert effective(notes_api) == effective(notes_api, service_id=notes_api.service) == usual
    of_all = set_template(notes_api)
    assert of_all.status_code == 201, of_all.text
    notes_api.now += timedelta(minutes=1)
    set_template(notes_api, sections=THREE[:1], service_id=notes_api.service)
    notes_api.now += timedelta(minutes=1)
    assert effective(notes_api) == effective(notes_api, service_id=other) == ["focus", "homework", "extra"]
    assert effective(notes_api, service_id=notes_api.service) == ["focus"]
    assert effective(notes_api, kind="SOAP_NOTE") == ["subjective", "objective", "assessment", "plan"]
    listed = notes_api.get("/note-templates", kind="PROGRESS_NOTE").json()["items"]
    assert [one["service_id"] for one in listed] == [str(notes_api.service), None]
    assert listed[1] == of_all.json()
    (first, second) = notes_api.recorded("note_template.set")
    assert (first.details["service_id"], second.details["service_id"]) == (None, str(notes_api.service))


def test_a_note_is_written_by_the_template_of_its_service(notes_api: NotesApi) -> None:
    set_template(notes_api, sections=THREE, service_id=notes_api.service)
    note = notes_api.created(type="PROGRESS_NOTE", sections={"focus": "Sleep."}, appointment_id=notes_api.session())
    assert [part["title"] for part in note["sections"]] == ["Focus", "Homework", "Anything else"]
    assert refused(notes_api.step(note, "sign"), "NOTE_INCOMPLETE")["details"]["problems"] == ["Homework is empty."]
    saved = notes_api.save(note, sections={"focus": "Sleep.", "homework": "A diary."}).json()
    assert notes_api.done(saved, "sign")["status"] == "SIGNED"
    without = notes_api.created(type="PROGRESS_NOTE", sections={"interventions": "Listened."})
    assert len(without["sections"]) == 5


def test_what_was_begun_by_a_template_is_finished_by_it(notes_api: NotesApi) -> None:
    begun = notes_api.created(type="PROGRESS_NOTE", sections={"focus": "Sleep.", "interventions": "Listened."})
    notes_api.now += timedelta(minutes=1)
    set_template(notes_api)
    notes_api.now += timedelta(minutes=1)
    full = dict.fromkeys(("focus", "interventions", "response", "progress", "next_steps"), "Said.")
    assert refused(notes_api.save(begun, sections={"homework": "A diary."}), "VALIDATION_ERROR", 422)
    note = notes_api.done(notes_api.save(begun, sections=full).json(), "sign")
    amended = notes_api.done(note, "amend", sections=full | {"focus": "Worry."}, reason="A slip")
    assert amended["sections"][0]["text"] == "Worry."
    assert notes_api.create(type="PROGRESS_NOTE", sections=full).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"sections": []},
        {"sections": [{"key": "Focus", "title": "Focus"}]},
        {"sections": [{"key": "text", "title": "Text"}]},
        {"sections": [THREE[0], THREE[0]]},
        {"sections": [{"key": "focus", "title": "Focus", "required": False}]},
        {"sections": [{"key": "focus", "title": "Focus", "prompt": "What?\x00"}]},
        {"kind": "SOAP_NOTE"},
        {"kind": "LETTER"},
        {"service_id": new_id()},
    ],
)
def test_what_is_no_template_is_refused(notes_api: NotesApi, wrong: dict[str, Any]) -> None:
    assert set_template(notes_api, **wrong).status_code == 422
    assert notes_api.get("/note-templates").json()["items"] == []


def test_templates_are_set_by_admins(notes_api: NotesApi) -> None:
    for by in (notes_api.clinician, notes_api.supervisor):
        assert refused(set_template(notes_api, by), "FORBIDDEN", 403)
    titles = [{"key": key, "title": title} for key, title in zip(SOAP, ("S", "O", "A", "P"), strict=True)]
    assert set_template(notes_api, kind="SOAP_NOTE", sections=titles).status_code == 201
    assert [part["title"] for part in notes_api.created()["sections"]] == ["S", "O", "A", "P"]
