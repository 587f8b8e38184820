"""Fixtures of the billing tests."""

import pytest

from tests.support.builders.billing import BillingPractice
from tests.support.builders.people import PracticeFixture


@pytest.fixture
def billing(practice: PracticeFixture) -> BillingPractice:
    return BillingPractice(practice)
