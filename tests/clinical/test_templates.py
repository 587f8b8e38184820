"""Templates over HTTP: which one a note is written by, and that what was begun by another is finished by it."""

from datetime import timedelta
from typing import Any

import pytest

from practice.store.ids import new_id
from tests.support.builders.notes import SOAP
from tests.support.builders.schedule import make_service
from tests.support.drivers.booking import refused
from tests.support.drivers.notes import Ward

THREE = [
    {"key": "focus", "title": "Focus"},
    {"key": "homework", "title": "Homework", "prompt": "What until next time?"},
    {"key": "extra", "title": "Anything else", "required": False},
]


def set_template(ward: Ward, by: Any = None, **more: Any) -> Any:
    body = {"kind": "PROGRESS_NOTE", "sections": THREE} | more
    return ward.post("/note-templates", by or ward.practice.admin, **body)


def effective(ward: Ward, **query: Any) -> list[str]:
    answer = ward.get("/note-templates/effective", **({"kind": "PROGRESS_NOTE"} | query))
    assert answer.status_code == 200, answer.text
    return [place["key"] for place in answer.json()["sections"]]


def test_the_service_s_template_counts_before_the_practice_s_and_that_before_the_usual(ward: Ward) -> None:
    other = make_service(ward.practice)
    usual = ["focus", "interventions", "response", "progress", "next_steps"]
    assert effective(ward) == effective(ward, service_id=ward.service) == usual
    of_all = set_template(ward)
    assert of_all.status_code == 201, of_all.text
    ward.now += timedelta(minutes=1)
    set_template(ward, sections=THREE[:1], service_id=ward.service)
    ward.now += timedelta(minutes=1)
    assert effective(ward) == effective(ward, service_id=other) == ["focus", "homework", "extra"]
    assert effective(ward, service_id=ward.service) == ["focus"]
    assert effective(ward, kind="SOAP_NOTE") == ["subjective", "objective", "assessment", "plan"]
    listed = ward.get("/note-templates", kind="PROGRESS_NOTE").json()["items"]
    assert [one["service_id"] for one in listed] == [str(ward.service), None]
    assert listed[1] == of_all.json()
    (first, second) = ward.recorded("note_template.set")
    assert (first.details["service_id"], second.details["service_id"]) == (None, str(ward.service))


def test_a_note_is_written_by_the_template_of_its_service(ward: Ward) -> None:
    set_template(ward, sections=THREE, service_id=ward.service)
    note = ward.created(type="PROGRESS_NOTE", sections={"focus": "Sleep."}, appointment_id=ward.session())
    assert [part["title"] for part in note["sections"]] == ["Focus", "Homework", "Anything else"]
    assert refused(ward.step(note, "sign"), "NOTE_INCOMPLETE")["details"]["problems"] == ["Homework is empty."]
    saved = ward.save(note, sections={"focus": "Sleep.", "homework": "A diary."}).json()
    assert ward.done(saved, "sign")["status"] == "SIGNED"
    without = ward.created(type="PROGRESS_NOTE", sections={"interventions": "Listened."})
    assert len(without["sections"]) == 5


def test_what_was_begun_by_a_template_is_finished_by_it(ward: Ward) -> None:
    begun = ward.created(type="PROGRESS_NOTE", sections={"focus": "Sleep.", "interventions": "Listened."})
    ward.now += timedelta(minutes=1)
    set_template(ward)
    ward.now += timedelta(minutes=1)
    full = dict.fromkeys(("focus", "interventions", "response", "progress", "next_steps"), "Said.")
    assert refused(ward.save(begun, sections={"homework": "A diary."}), "VALIDATION_ERROR", 422)
    note = ward.done(ward.save(begun, sections=full).json(), "sign")
    amended = ward.done(note, "amend", sections=full | {"focus": "Worry."}, reason="A slip")
    assert amended["sections"][0]["text"] == "Worry."
    assert ward.create(type="PROGRESS_NOTE", sections=full).status_code == 422


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
def test_what_is_no_template_is_refused(ward: Ward, wrong: dict[str, Any]) -> None:
    assert set_template(ward, **wrong).status_code == 422
    assert ward.get("/note-templates").json()["items"] == []


def test_templates_are_set_by_admins(ward: Ward) -> None:
    for by in (ward.clinician, ward.supervisor):
        assert refused(set_template(ward, by), "FORBIDDEN", 403)
    titles = [{"key": key, "title": title} for key, title in zip(SOAP, ("S", "O", "A", "P"), strict=True)]
    assert set_template(ward, kind="SOAP_NOTE", sections=titles).status_code == 201
    assert [part["title"] for part in ward.created()["sections"]] == ["S", "O", "A", "P"]
