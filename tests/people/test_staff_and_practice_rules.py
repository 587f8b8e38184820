"""Rules about practices and people, case by case."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.practices import email_address, npi_is_valid, setting_problems, slug_of
from practice.people.rules.staff import supervises_in_circle
from practice.rule_settings import PARAMETERS


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Oak Street", "oak-street"),
        ("  Hill & Dale Therapy, LLC ", "hill-dale-therapy-llc"),
        ("Práctica_Ñandú", "práctica-ñandú"),
        ("心理", "心理"),
        ("!!!", "practice"),
    ],
)
def test_a_slug_is_the_name_as_one_would_type_it(name: str, slug: str) -> None:
    assert slug_of(name) == slug
    assert slug_of(slug) == slug


@pytest.mark.parametrize(
    ("npi", "valid"),
    [
        ("1234567893", True),  # the example of the standard
        ("1234567890", False),
        ("123456789", False),
        ("12345678931", False),
        ("12345678９3", False),
        ("", False),
    ],
)
def test_an_npi_carries_its_own_check(npi: str, valid: bool) -> None:
    assert npi_is_valid(npi) is valid


@given(st.integers(0, 10**9 - 1))
def test_of_ten_last_digits_one_makes_an_npi(front: int) -> None:
    assert sum(npi_is_valid(f"{front:09}{last}") for last in range(10)) == 1


@given(st.integers(0, 10**8 - 1), st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(front: int, place: int, by: int) -> None:
    npi = next(n for last in range(10) if npi_is_valid(n := f"1{front:08}{last}"))
    wrong = npi[:place] + str((int(npi[place]) + by) % 10) + npi[place + 1 :]
    assert not npi_is_valid(wrong)


@pytest.mark.parametrize("key", list(PARAMETERS))
def test_a_setting_stays_within_its_bounds_and_out_of_the_past(key: str) -> None:
    parameter, today = PARAMETERS[key], date(2026, 3, 18)
    for value in (parameter.least, parameter.default, parameter.most):
        assert setting_problems(key, value, today, today) == []
    for value in (parameter.least - 1, parameter.most + 1, "30", 30.0, True, None):
        assert len(setting_problems(key, value, today, today)) == 1
    both = setting_problems(key, parameter.most + 1, today - timedelta(days=1), today)
    assert len(both) == 2  # everything that is wrong, at once


def test_an_unknown_setting_is_told_the_known_ones() -> None:
    (problem,) = setting_problems("colour", 1, date(2026, 3, 18), date(2026, 3, 18))
    assert all(key in problem for key in PARAMETERS)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_supervision_never_closes_a_circle(changes: list[tuple[int, int]]) -> None:
    supervisor_of: dict[int, int | None] = dict.fromkeys(range(8))
    for person, supervisor in changes:
        if not supervises_in_circle(person, supervisor, supervisor_of):
            supervisor_of[person] = supervisor
    for start in supervisor_of:
        above, steps = supervisor_of[start], 0
        while above is not None and steps < 10:
            assert above != start
            above, steps = supervisor_of[above], steps + 1
        assert above is None


@pytest.mark.parametrize("text", ["ada@oak.example", "ada@mail.local", "ada@oak.test", "ada@mailhost"])
def test_an_address_of_any_network_is_one(text: str) -> None:
    assert email_address(text.title()) == text


@pytest.mark.parametrize("text", ["ada", "ada@", "@oak.example", "ada oak@example.com", "ada@oak.example\n", "a@b@c"])
def test_what_cannot_be_written_to_is_no_address(text: str) -> None:
    assert email_address(text) is None
