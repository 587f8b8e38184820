"""Rules about practices and staff."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.npi import is_valid_npi
from practice.people.rules.practices import normalize_email, slugify
from practice.people.rules.settings import setting_problems
from practice.people.rules.staff import is_supervision_cycle
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
def test_a_slug_is_a_typeable_form_of_the_name(name: str, slug: str) -> None:
    assert slugify(name) == slug
    assert slugify(slug) == slug


@pytest.mark.parametrize(
    ("npi", "valid"),
    [
        ("1234567893", True),  # the example in the NPI standard
        ("1234567890", False),
        ("123456789", False),
        ("12345678931", False),
        ("12345678９3", False),
        ("", False),
    ],
)
def test_an_npi_has_a_valid_check_digit(npi: str, valid: bool) -> None:
    assert is_valid_npi(npi) is valid


@given(st.integers(0, 10**9 - 1))
def test_exactly_one_check_digit_makes_a_valid_npi(front: int) -> None:
    assert sum(is_valid_npi(f"{front:09}{last}") for last in range(10)) == 1


@given(st.integers(0, 10**8 - 1), st.integers(0, 8), st.integers(1, 9))
def test_a_wrong_digit_is_detected(front: int, position: int, offset: int) -> None:
    npi = next(n for last in range(10) if is_valid_npi(n := f"1{front:08}{last}"))
    wrong = npi[:position] + str((int(npi[position]) + offset) % 10) + npi[position + 1 :]
    assert not is_valid_npi(wrong)


@pytest.mark.parametrize("key", list(PARAMETERS))
def test_a_setting_is_within_its_range_and_not_in_the_past(key: str) -> None:
    parameter, today = PARAMETERS[key], date(2026, 3, 18)
    for value in (parameter.minimum, parameter.default, parameter.maximum):
        assert setting_problems(key, value, today, today) == []
    for value in (parameter.minimum - 1, parameter.maximum + 1, "30", 30.0, True, None):
        assert len(setting_problems(key, value, today, today)) == 1
    both = setting_problems(key, parameter.maximum + 1, today - timedelta(days=1), today)
    assert len(both) == 2  # all problems are reported together


def test_an_unknown_setting_is_answered_with_similar_ones() -> None:
    (problem,) = setting_problems("pasword_max_age", 1, date(2026, 3, 18), date(2026, 3, 18))
    assert "Did you mean password_max_age_days" in problem.message
    (problem,) = setting_problems("color", 1, date(2026, 3, 18), date(2026, 3, 18))
    assert problem.message == "Unknown setting. The list of settings names all keys."


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_supervision_never_forms_a_cycle(changes: list[tuple[int, int]]) -> None:
    supervisor_of: dict[int, int | None] = dict.fromkeys(range(8))
    for person, supervisor in changes:
        if not is_supervision_cycle(person, supervisor, supervisor_of):
            supervisor_of[person] = supervisor
    for start in supervisor_of:
        current, steps = supervisor_of[start], 0
        while current is not None and steps < 10:
            assert current != start
            current, steps = supervisor_of[current], steps + 1
        assert current is None


@pytest.mark.parametrize("text", ["ada@oak.example", "ada@mail.local", "ada@oak.test", "ada@mailhost"])
def test_an_address_in_any_domain_is_valid(text: str) -> None:
    assert normalize_email(text.title()) == text


@pytest.mark.parametrize("text", ["ada", "ada@", "@oak.example", "ada oak@example.com", "ada@oak.example\n", "a@b@c"])
def test_an_invalid_address_is_rejected(text: str) -> None:
    assert normalize_email(text) is None
