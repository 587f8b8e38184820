"""A practice that pays, for every test of its weeks."""

import pytest

from tests.support.office import Office
from tests.support.people import House


@pytest.fixture
def office(practice: House) -> Office:
    return Office(practice)
