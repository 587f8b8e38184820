"""The demo practice: at any hour, once, and finished when it was interrupted."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import text

from caseload.demo import ROLES, SMALL, make_demo
from practice.errors import ConfigurationProblem
from practice.security import sign_in
from practice.security.installation import Installation

EVENING = datetime(2026, 3, 19, 2, 30, tzinfo=UTC)  # still the 18th where the practice is


def silent(_: str) -> None:
    pass


def count(installation: Installation, table: str) -> int:
    with installation.store.owner_connection() as connection:
        return connection.scalar(text(f"select count(*) from {table}")) or 0


def test_everybody_can_sign_in_with_what_the_demo_tells(own_installation: Installation) -> None:
    logins = make_demo(own_installation, EVENING, silent, SMALL)
    assert [login["role"] for login in logins] == [*ROLES, "client"]
    for login in logins:
        step = sign_in.sign_in(own_installation, login["email"], login["password"], EVENING)
        done = sign_in.verify_code(
            own_installation, step.token or "", pyotp.TOTP(login["authenticator"]).at(EVENING), EVENING
        )
        assert done.tokens is not None
        assert not done.tokens.training_lapsed
    brought = count(own_installation, "appointments")
    assert brought > 500
    assert make_demo(own_installation, EVENING + timedelta(days=1), silent, SMALL) == logins
    assert count(own_installation, "practices") == 1
    assert count(own_installation, "appointments") == brought


def test_an_interrupted_demo_is_finished_by_the_next(own_installation: Installation) -> None:
    said: list[str] = []

    def pull_the_plug(words: str) -> None:
        said.append(words)
        if "scheduler" in words:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_demo(own_installation, EVENING, pull_the_plug, SMALL)
    logins = make_demo(own_installation, EVENING, silent, SMALL)
    assert [login["role"] for login in logins] == [*ROLES, "client"]
    assert len({login["password"] for login in logins}) == 1
    assert count(own_installation, "practices") == 1


def test_there_is_no_demo_in_production(own_installation: Installation) -> None:
    own_installation.settings.environment = "production"
    with pytest.raises(ConfigurationProblem, match="no place in production"):
        make_demo(own_installation, EVENING, silent)
    assert count(own_installation, "practices") == 0
