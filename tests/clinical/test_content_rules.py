"""Rules of what notes say: how it is kept, how it reads as one text, and what is missing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.clinical.documents.rules.content import (
    Content,
    Section,
    as_it_came,
    composed,
    content_problems,
    filled,
    kept,
    read,
    signing_problems,
    written,
)
from practice.clinical.notes.rules.signing import content_hash

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
sections = st.builds(Section, texts, texts, texts)
contents = st.builds(Content, st.lists(sections, max_size=4).map(tuple), st.lists(texts, max_size=3).map(tuple), texts)
SOAP = {"subjective": "Subjective", "plan": "Plan"}


@given(contents)
def test_what_is_kept_is_read_again_and_always_the_same(content: Content) -> None:
    assert read(kept(content)) == content
    assert kept(read(kept(content))) == kept(content)


@given(contents, contents)
def test_other_content_is_kept_as_another_text(one: Content, other: Content) -> None:
    assert (kept(one) == kept(other)) is (one == other) is (content_hash(kept(one)) == content_hash(kept(other)))


@given(texts)
def test_what_came_in_as_one_text_goes_out_as_it_came(text: str) -> None:
    assert written(as_it_came(text)) == composed(as_it_came(text), []) == text


def test_a_note_reads_as_one_text() -> None:
    content = filled(SOAP, {"subjective": " Slept.\n"}, ["F41.1", "F43.2"], "salt")
    assert written(content) == "Subjective\nSlept.\n\nDiagnoses\nF41.1, F43.2"
    assert composed(content, [as_it_came("Later."), Content((Section("addendum", "", "Later still."),))]) == (
        "Subjective\nSlept.\n\nDiagnoses\nF41.1, F43.2\n\nAddendum 1\nLater.\n\nAddendum 2\nLater still."
    )


@pytest.mark.parametrize(
    ("texts", "diagnoses", "found"),
    [
        ({}, [], 0),
        ({"plan": "x" * 20_000}, ["F41.1", "Z63", "T14.91XA", "U09.9"], 0),
        ({"plan": "x" * 20_001}, [], 1),
        ({"appendix": "x", "plan": "x"}, [], 1),
        ({}, ["f41.1", "F411", "F41.", "41.1", ""], 5),
        ({}, ["F41.1", "F41.1"], 1),
        ({}, [f"F{number}" for number in range(10, 23)], 1),
    ],
)
def test_what_can_be_saved(texts: dict[str, str], diagnoses: list[str], found: int) -> None:
    problems = content_problems(filled(SOAP, texts, diagnoses, "salt"), SOAP)
    assert len(problems) == found
    assert not any(said in problem for problem in problems for said in ("appendix", "xxx", "f41.1", "F411"))


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (filled(SOAP, {"subjective": "a", "plan": "b"}, [], ""), []),
        (filled(SOAP, {"subjective": "a"}, [], ""), ["Plan is empty."]),
        (filled(SOAP, {"subjective": " ", "plan": "\n"}, ["F41.1"], ""), ["The note is empty."]),
        (as_it_came("x"), []),
        (as_it_came(" "), ["The note is empty."]),
    ],
)
def test_what_can_be_signed(content: Content, problems: Any) -> None:
    assert signing_problems(content, SOAP) == problems
