"""Of two who do the same at the same moment, the second waits for the first."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from practice.security.work import Work
from tests.support.people import House


def second_waits(practice: House, verb: Callable[[Work], Any]) -> None:
    with practice.work() as first:
        verb(first)
        with practice.work() as second:
            second.db.execute(text("set local lock_timeout = '20ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                verb(second)
            second.db.rollback()
