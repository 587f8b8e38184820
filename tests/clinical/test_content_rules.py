"""Rules of document content: canonical JSON, plain text, and missing sections."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.clinical.documents.rules.content import (
    Content,
    Section,
    as_text,
    canonical_json,
    content_problems,
    fill_template,
    full_text,
    imported_content,
    parse,
    signing_problems,
)
from practice.clinical.notes.rules.signing import hash_content
from practice.errors import FieldProblem

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SECTIONS = st.builds(Section, TEXTS, TEXTS, TEXTS)
CONTENTS = st.builds(Content, st.lists(SECTIONS, max_size=4).map(tuple), st.lists(TEXTS, max_size=3).map(tuple), TEXTS)
SOAP = {"subjective": "Subjective", "plan": "Plan"}


def test_unknown_sections_are_reported_once_with_the_keys_that_exist() -> None:
    """The submitted keys are not repeated, and they have no number that the sender would know."""
    content = fill_template(SOAP, {"subjectiv": "Slept well", "pln": "Rest"}, [], "salt")
    message = "Unknown section. Use the keys of the template: subjective, plan."
    assert content_problems(content, SOAP) == [FieldProblem("sections", message)]


@given(CONTENTS)
def test_canonical_json_round_trips(content: Content) -> None:
    assert parse(canonical_json(content)) == content
    assert canonical_json(parse(canonical_json(content))) == canonical_json(content)


@given(CONTENTS, CONTENTS)
def test_different_content_has_different_json_and_hash(first: Content, second: Content) -> None:
    assert (
        (canonical_json(first) == canonical_json(second))
        is (first == second)
        is (hash_content(canonical_json(first)) == hash_content(canonical_json(second)))
    )


@given(TEXTS)
def test_imported_text_is_exported_unchanged(text: str) -> None:
    assert as_text(imported_content(text)) == full_text(imported_content(text), []) == text


def test_a_note_reads_as_one_text() -> None:
    content = fill_template(SOAP, {"subjective": " Slept.\n"}, ["F41.1", "F43.2"], "salt")
    assert as_text(content) == "Subjective\nSlept.\n\nDiagnoses\nF41.1, F43.2"
    assert full_text(content, [imported_content("Later."), Content((Section("addendum", "", "Later still."),))]) == (
        "Subjective\nSlept.\n\nDiagnoses\nF41.1, F43.2\n\nAddendum 1\nLater.\n\nAddendum 2\nLater still."
    )


@pytest.mark.parametrize(
    ("texts", "diagnoses", "count"),
    [
        ({}, [], 0),
        ({"plan": "x" * 20_000}, ["F41.1", "Z63", "T14.91XA", "U09.9"], 0),
        ({"plan": "x" * 20_001}, [], 1),
        ({"plan": "a\n" * 2_500}, [], 0),
        ({"subjective": "a\n" * 1_500, "plan": "a\n" * 1_001}, [], 1),
        ({"plan": "\n" * 19_000}, [], 0),
        ({"appendix": "x", "plan": "x"}, [], 1),
        ({}, ["f41.1", "F411", "F41.", "41.1", ""], 5),
        ({}, ["F41.1", "F41.1"], 1),
        ({}, [f"F{number}" for number in range(10, 23)], 1),
    ],
)
def test_what_can_be_saved(texts: dict[str, str], diagnoses: list[str], count: int) -> None:
    problems = content_problems(fill_template(SOAP, texts, diagnoses, "salt"), SOAP)
    assert len(problems) == count
    assert not any(text in problem.message for problem in problems for text in ("appendix", "xxx", "f41.1", "F411"))


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (fill_template(SOAP, {"subjective": "a", "plan": "b"}, [], ""), []),
        (fill_template(SOAP, {"subjective": "a"}, [], ""), ["Plan is empty."]),
        (fill_template(SOAP, {"subjective": " ", "plan": "\n"}, ["F41.1"], ""), ["The note is empty."]),
        (imported_content("x"), []),
        (imported_content(" "), ["The note is empty."]),
    ],
)
def test_what_can_be_signed(content: Content, problems: Any) -> None:
    assert signing_problems(content, SOAP) == problems
