"""Which passwords will do, and when a session has ended."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.security import rules

GOOD = "Teal-Walrus 41 hums softly"
IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=12)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_good_password_has_no_problems() -> None:
    assert (
        rules.password_problems(GOOD, email="mara.lindqvist@oak.example", names=["Mara Lindqvist", "Oak Street"]) == []
    )


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("Te-W4lrus hu", None),
        ("Te-W4lrus h", "at least 12"),
        ("teal-walrus 41 hums softly", "upper-case"),
        ("TEAL-WALRUS 41 HUMS SOFTLY", "lower-case"),
        ("Teal-Walrus hums softly", "digit"),
        ("TealWalrus41HumsSoftly", "sign"),
        ("Password1234!", "too easy to guess"),
        ("Qwertyuiop1!", "too easy to guess"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaA1!", "too easy to guess"),
        (GOOD + "x" * (256 - len(GOOD)), None),
        (GOOD + "x" * (257 - len(GOOD)), "at most 256"),
    ],
)
def test_each_lack_is_named_and_nothing_else(password: str, complaint: str | None) -> None:
    problems = rules.password_problems(password)
    assert len(problems) == (complaint is not None), problems
    assert complaint is None or complaint in problems[0]


def test_every_problem_is_told_at_once() -> None:
    problems = rules.password_problems("")
    assert [word for word in ("12", "lower", "upper", "digit", "sign", "guess") if word in " ".join(problems)] == [
        "12", "lower", "upper", "digit", "sign", "guess",
    ]  # fmt: skip
    assert all(problem[0].isupper() and problem.endswith(".") for problem in problems)


@pytest.mark.parametrize("email", ["walrus@oak.example", "WALRUS@oak.example", "walrus+work@oak.example"])
def test_the_local_part_of_the_address_is_refused_anywhere_in_it(email: str) -> None:
    assert rules.password_problems(GOOD, email=email) == ["Leave out your e-mail address."]


def test_a_very_short_local_part_may_stand_in_a_word() -> None:
    assert rules.password_problems(GOOD, email="ea@oak.example") == []


def test_ones_own_names_make_a_password_easy() -> None:
    password = "MaraLindqvist1!"
    assert rules.password_problems(password) == []
    assert "too easy" in rules.password_problems(password, names=["Mara Lindqvist"])[0]
    assert "too easy" in rules.password_problems("Lindqvist2026!", email="x@lindqvist.example")[0]
    assert rules.password_problems(password, names=["Someone Else"]) == []  # the last caller's names are forgotten


def test_a_password_is_judged_as_it_will_be_compared() -> None:
    assert any("at most" in problem for problem in rules.password_problems(GOOD + "ﷺ" * 20))  # each is 18 characters
    decomposed = "Cafe\u0301-Walru"  # 12 as typed, 11 as compared
    assert any("at least" in problem for problem in rules.password_problems(decomposed))


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(codec=None), max_size=300), st.emails(), st.lists(st.text(max_size=20), max_size=3))
def test_whatever_is_typed_gets_an_answer_that_does_not_repeat_it(password: str, email: str, names: list[str]) -> None:
    problems = rules.password_problems(password, email=email, names=names)
    assert len(password) < 12 or not any(password in problem for problem in problems)
    if not problems:
        compared = rules.normalised_password(password)
        assert 12 <= len(compared) <= 256
        assert email.partition("@")[0].partition("+")[0].casefold() not in compared.casefold() or len(email) < 4


def ended(now: datetime, created_at: datetime, last_seen_at: datetime) -> str | None:
    return rules.why_session_ended(
        now, created_at=created_at, last_seen_at=last_seen_at, idle_limit=IDLE, absolute_limit=ABSOLUTE
    )


@pytest.mark.parametrize(
    ("since_seen", "reason"),
    [
        (timedelta(0), None),
        (timedelta(minutes=14, seconds=59, milliseconds=999), None),
        (timedelta(minutes=15), "idle"),
        (timedelta(days=9), "idle"),
        (timedelta(seconds=-5), None),  # another server's clock is a little ahead
    ],
)
def test_fifteen_minutes_without_activity_end_a_session(since_seen: timedelta, reason: str | None) -> None:
    assert ended(NOON + since_seen, NOON - timedelta(hours=1), NOON) == reason


@pytest.mark.parametrize(
    ("age", "reason"),
    [(timedelta(hours=11, minutes=59, seconds=59, milliseconds=999), None), (timedelta(hours=12), "absolute")],
)
def test_twelve_hours_end_a_session_however_busy_it_is(age: timedelta, reason: str | None) -> None:
    assert ended(NOON + age, NOON, NOON + age) == reason


def test_the_limit_that_came_first_is_the_reason() -> None:
    late = NOON + timedelta(days=2)
    assert ended(late, NOON, NOON + timedelta(hours=3)) == "idle"
    assert ended(late, NOON, NOON + timedelta(hours=11, minutes=50)) == "absolute"


def test_hours_are_hours_across_a_clock_change() -> None:
    created = datetime(2026, 3, 7, 20, tzinfo=ZoneInfo("America/New_York"))  # clocks go forward that night
    busy = created.astimezone(UTC) + timedelta(hours=12)
    assert ended(busy - timedelta(seconds=1), created, busy) is None
    assert ended(busy, created, busy) == "absolute"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        ended(datetime(2026, 3, 2, 12), NOON, NOON)  # noqa: DTZ001


@given(st.timedeltas(timedelta(0), timedelta(days=1)), st.timedeltas(timedelta(0), timedelta(days=1)))
def test_a_session_lives_exactly_within_both_limits(age: timedelta, since_seen: timedelta) -> None:
    alive = ended(NOON, NOON - age, NOON - since_seen) is None
    assert alive == (age < ABSOLUTE and since_seen < IDLE)
