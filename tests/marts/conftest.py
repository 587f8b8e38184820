"""Fixtures of the tests of marts."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from practice.analytics.marts import run_statement
from practice.people.practices import change_practice
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.analysts import connect_analyst, make_analysts
from tests.support.builders.compliance import CompliancePractice
from tests.support.builders.people import PracticeFixture

Read = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def read(installation: Installation, practice: PracticeFixture) -> Read:
    """Return a function that reads the marts of the practice as the service."""
    return lambda statement: run_statement(installation.store, practice.id, statement).rows


@pytest.fixture
def analyst(installation: Installation, practice: PracticeFixture) -> Iterator[psycopg.Connection]:
    """Yield a connection of an analyst of the practice."""
    with (
        make_analysts(installation, practice.id) as [credentials],
        connect_analyst(installation, credentials) as reader,
    ):
        yield reader


@pytest.fixture
def compliance(installation: Installation) -> CompliancePractice:
    return CompliancePractice(installation)


def change(practice: PracticeFixture, version: int = 1, **changes: str) -> None:
    with practice.installation.work(Actor(), practice.now) as work:
        change_practice(work, practice.id, version, changes)
