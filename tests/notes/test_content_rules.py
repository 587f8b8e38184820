"""What notes say: how it is kept, written as one text, and what is wrong with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.notes.content_rules import (
    MOST_DIAGNOSES,
    SECTION_LENGTH,
    Content,
    Section,
    as_it_came,
    content_problems,
    diagnosis_problems,
    hash_of,
    kept,
    read,
    signing_problems,
    written,
)

texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)
keys = st.sampled_from(["subjective", "objective", "assessment", "plan"])
contents = st.builds(
    lambda parts, codes, salt: Content(tuple(Section(k, k.title(), t) for k, t in parts.items()), tuple(codes), salt),
    st.dictionaries(keys, texts, max_size=4),
    st.lists(st.sampled_from(["F41.1", "F32.0", "Z63.0"]), unique=True),
    st.text("0123456789abcdef", min_size=32, max_size=32),
)
SOAP = Content((Section("subjective", "Subjective", "Sleeps badly.\n"), Section("plan", "Plan", "")), ("F41.1",), "00")


@given(contents)
def test_what_is_kept_is_read_again_and_has_one_form(content: Content) -> None:
    assert read(kept(content)) == content
    assert kept(read(kept(content))) == kept(content)
    assert hash_of(read(kept(content))) == hash_of(content)


@given(contents, contents)
def test_another_content_has_another_hash(one: Content, other: Content) -> None:
    assert (hash_of(one) == hash_of(other)) == (one == other)


def test_the_same_words_with_another_salt_have_another_hash() -> None:
    assert hash_of(Content(SOAP.sections, SOAP.diagnoses, "01")) != hash_of(SOAP)
    assert "00" not in repr(SOAP)
    assert json.loads(kept(SOAP))["salt"] == "00"


def test_as_one_text_it_has_its_titles_and_leaves_out_what_is_empty() -> None:
    assert written(SOAP) == "Subjective\nSleeps badly.\n\nDiagnoses\nF41.1"
    assert (
        written(as_it_came("Anything\n\n at all. ")) == "Anything\n\n at all. "
    )  # to the letter: bundles go out again


def test_all_that_is_wrong_with_a_content_is_said_at_once() -> None:
    sections = (
        *(Section("mood", "Mood", "x"), Section("plan", "Plan", "a"), Section("plan", "Plan", "b")),
        Section("subjective", "Subjective", "x" * (SECTION_LENGTH + 1)),
    )
    problems = content_problems(Content(sections, ("F41.1", "anxiety", "F41.1")), ["subjective", "plan"])
    assert len(problems) == 5
    assert not any("anxiety" in problem for problem in problems)  # what came in is not said back
    assert content_problems(SOAP, ["subjective", "plan"]) == []


@pytest.mark.parametrize("code", ["F41.1", "F90", "Z63.0", "S72.001A", "C4A.0", "T43.622A"])
def test_icd_10_codes_are_known_by_their_form(code: str) -> None:
    assert diagnosis_problems([code]) == []


@pytest.mark.parametrize("code", ["", "41.1", "F4", "f41.1", "F41.", "F41.12345", "U07.1x", "F41 1", "F41.1\n"])
def test_what_has_not_their_form_is_none(code: str) -> None:
    assert len(diagnosis_problems([code])) == 1


def test_there_are_not_more_diagnoses_than_a_claim_can_carry() -> None:
    assert len(diagnosis_problems([f"F{number}" for number in range(20, 21 + MOST_DIAGNOSES)])) == 1


def test_for_a_signature_what_is_required_has_to_be_there() -> None:
    assert signing_problems(Content((Section("plan", "Plan", " \n"),)), ["plan"]) == ["The note is empty."]
    assert signing_problems(SOAP, ["subjective", "plan"]) == ["Plan is empty."]
    assert signing_problems(SOAP, ["subjective"]) == []
    assert signing_problems(as_it_came("Seen."), ["subjective"]) == []  # which had other sections where it came from
