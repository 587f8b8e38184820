"""Fixtures of the payroll tests."""

import pytest

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.payroll import PayrollScenario


@pytest.fixture
def payroll(practice: PracticeFixture) -> PayrollScenario:
    return PayrollScenario(practice)
