"""The rules for new passwords."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.security import rules

GOOD = "Teal-Walrus 41 hums softly"


def test_a_good_password_has_no_problems() -> None:
    assert (
        rules.password_problems(GOOD, email="mara.lindqvist@oak.example", names=["Mara Lindqvist", "Oak Street"]) == []
    )


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("Te-W4lrus hu", None),
        ("Te-W4lrus h", "at least 12"),
        ("teal-walrus 41 hums softly", "uppercase"),
        ("TEAL-WALRUS 41 HUMS SOFTLY", "lowercase"),
        ("Teal-Walrus hums softly", "digit"),
        ("TealWalrus41HumsSoftly", "symbol"),
        ("Password1234!", "too easy to guess"),
        ("Qwertyuiop1!", "too easy to guess"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaA1!", "too easy to guess"),
        (GOOD + "x" * (256 - len(GOOD)), None),
        (GOOD + "x" * (257 - len(GOOD)), "at most 256"),
    ],
)
def test_each_problem_is_reported_and_no_other(password: str, problem: str | None) -> None:
    problems = rules.password_problems(password)
    assert len(problems) == (problem is not None), problems
    assert problem is None or problem in problems[0]


def test_all_problems_are_reported_together() -> None:
    problems = rules.password_problems("")
    assert [word for word in ("12", "lower", "upper", "digit", "symbol", "guess") if word in " ".join(problems)] == [
        "12", "lower", "upper", "digit", "symbol", "guess",
    ]  # fmt: skip
    assert all(text[0].isupper() and text.endswith(".") for text in problems)


@pytest.mark.parametrize("email", ["walrus@oak.example", "WALRUS@oak.example", "walrus+work@oak.example"])
def test_the_local_part_of_the_email_is_refused_anywhere_in_the_password(email: str) -> None:
    assert rules.password_problems(GOOD, email=email) == ["Leave out your email address."]


def test_a_very_short_local_part_may_occur_in_a_word() -> None:
    assert rules.password_problems(GOOD, email="ea@oak.example") == []


def test_own_names_make_a_password_easy_to_guess() -> None:
    password = "MaraLindqvist1!"
    assert rules.password_problems(password) == []
    assert "too easy" in rules.password_problems(password, names=["Mara Lindqvist"])[0]
    assert "too easy" in rules.password_problems("Lindqvist2026!", email="x@lindqvist.example")[0]
    assert rules.password_problems(password, names=["Someone Else"]) == []  # the last caller's names are forgotten


def test_a_password_is_checked_in_its_normalized_form() -> None:
    assert any("at most" in text for text in rules.password_problems(GOOD + "ﷺ" * 20))  # each is 18 characters
    decomposed = "Cafe\u0301-Walru"  # 12 as typed, 11 as compared
    assert any("at least" in text for text in rules.password_problems(decomposed))


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(codec=None), max_size=300), st.emails(), st.lists(st.text(max_size=20), max_size=3))
def test_problems_never_repeat_the_password(password: str, email: str, names: list[str]) -> None:
    problems = rules.password_problems(password, email=email, names=names)
    assert len(password) < 12 or not any(password in text for text in problems)
    if not problems:
        compared = rules.normalize_password(password)
        assert 12 <= len(compared) <= 256
        local_part = email.partition("@")[0].partition("+")[0].casefold()
        assert len(local_part) < 3 or local_part not in compared.casefold()
