"""Rules of progress reports: comparison and word search."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.clinical.documents.rules.content import Content, Section
from practice.clinical.reports.rules import (
    MAX_COMPARED_LINES,
    compare_contents,
    compare_lines,
    has_words,
    report_problems,
)

TEXTS = st.text(alphabet="ab\n", max_size=40)


def content(**texts: str) -> Content:
    return Content(tuple(Section(key, key.capitalize(), text) for key, text in texts.items()))


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_compared_lines_reproduce_both_texts(before: str, after: str) -> None:
    lines = compare_lines(before, after)
    assert "\n".join(line.text for line in lines if line.kind != "added") == before
    assert "\n".join(line.text for line in lines if line.kind != "removed") == after
    assert (before == after) is all(line.kind == "same" for line in lines)


def test_equal_lines_are_not_reported_as_changed() -> None:
    lines = compare_lines("one\ntwo\nthree\nfour", "one\nthree\n3.5\nfour")
    assert [(line.kind, line.text) for line in lines] == [
        ("same", "one"),
        ("removed", "two"),
        ("same", "three"),
        ("added", "3.5"),
        ("same", "four"),
    ]


def test_very_long_texts_count_as_changed_between_their_equal_ends() -> None:
    old = [str(number) for number in range(3 * MAX_COMPARED_LINES)]
    new = ["0", *reversed(old[1:-1]), old[-1]]
    lines = compare_lines("\n".join(old), "\n".join(new))
    assert (lines[0].kind, lines[-1].kind) == ("same", "same")
    assert [line.kind for line in lines[1:-1]] == ["removed"] * (len(old) - 2) + ["added"] * (len(old) - 2)


def test_reports_are_compared_section_by_section() -> None:
    differences = compare_contents(content(summary="Fine", old="Gone"), content(summary="Better", plan="Same"))
    assert [(difference.key, difference.same, difference.before, difference.after) for difference in differences] == [
        ("summary", False, "Fine", "Better"),
        ("plan", False, None, "Same"),
        ("old", False, "Gone", None),
    ]
    assert [difference.same for difference in compare_contents(content(summary="Fine"), content(summary="Fine"))] == [
        True
    ]


@pytest.mark.parametrize(
    ("query", "is_match"),
    [("SLEEPS", True), ("sleeps better", True), ("better sleeps", True), ("sleeps worse", False), ("summary", True)],
)
def test_search_matches_all_words_in_any_case_and_order(query: str, is_match: bool) -> None:
    assert has_words(content(summary="Sleeps\nmuch Better"), query) is is_match


def test_a_report_cannot_be_dated_in_the_future() -> None:
    today = date(2026, 3, 18)
    assert report_problems(today, today) == []
    assert report_problems(date(2026, 3, 19), today)
