"""A practice that pays, for every test of its weeks."""

import pytest

from tests.support.builders.people import House
from tests.support.drivers.payroll import Office


@pytest.fixture
def office(practice: House) -> Office:
    return Office(practice)
