"""Rules of progress reports: how two of them differ, and which hold some words."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.clinical.documents.rules.content import Content, Section
from practice.clinical.reports.rules import MOST_LINES, differences, holds, line_by_line, report_problems

TEXTS = st.text(alphabet="ab\n", max_size=40)


def content(**texts: str) -> Content:
    return Content(tuple(Section(key, key.capitalize(), text) for key, text in texts.items()))


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_the_lines_of_a_difference_give_both_texts_back(before: str, after: str) -> None:
    found = line_by_line(before, after)
    assert "\n".join(line.text for line in found if line.kind != "added") == before
    assert "\n".join(line.text for line in found if line.kind != "removed") == after
    assert (before == after) is all(line.kind == "same" for line in found)


def test_what_stays_the_same_is_not_told_as_changed() -> None:
    found = line_by_line("one\ntwo\nthree\nfour", "one\nthree\n3.5\nfour")
    assert [(line.kind, line.text) for line in found] == [
        ("same", "one"),
        ("removed", "two"),
        ("same", "three"),
        ("added", "3.5"),
        ("same", "four"),
    ]


def test_of_very_many_lines_what_lies_between_the_equal_ends_is_taken_as_changed() -> None:
    old = [str(number) for number in range(3 * MOST_LINES)]
    new = ["0", *reversed(old[1:-1]), old[-1]]
    found = line_by_line("\n".join(old), "\n".join(new))
    assert (found[0].kind, found[-1].kind) == ("same", "same")
    assert [line.kind for line in found[1:-1]] == ["removed"] * (len(old) - 2) + ["added"] * (len(old) - 2)


def test_reports_are_compared_section_by_section() -> None:
    found = differences(content(summary="Fine", old="Gone"), content(summary="Better", plan="Same"))
    assert [(one.key, one.same, one.before, one.after) for one in found] == [
        ("summary", False, "Fine", "Better"),
        ("plan", False, None, "Same"),
        ("old", False, "Gone", None),
    ]
    assert [one.same for one in differences(content(summary="Fine"), content(summary="Fine"))] == [True]


@pytest.mark.parametrize(
    ("query", "found"),
    [("SLEEPS", True), ("sleeps better", True), ("better sleeps", True), ("sleeps worse", False), ("summary", True)],
)
def test_a_report_holds_all_the_words_in_any_case_and_order(query: str, found: bool) -> None:
    assert holds(content(summary="Sleeps\nmuch Better"), query) is found


def test_a_report_is_not_of_a_day_to_come() -> None:
    today = date(2026, 3, 18)
    assert report_problems(today, today) == []
    assert report_problems(date(2026, 3, 19), today)
