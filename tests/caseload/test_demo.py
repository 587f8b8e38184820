"""The demo practice: created once, at any hour, and finished after an interruption."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import text

from caseload import demo
from caseload.demo import NEW_ADMIN, ROLES, SMALL, create_demo
from practice.errors import ConfigurationProblem
from practice.security import sign_in
from practice.security.installation import Installation

VISITS_OF_THE_CLIENT = text("""
    select
        count(*) filter (where a.status = 'COMPLETED') as past,
        count(*) filter (where a.status in ('SCHEDULED', 'CONFIRMED') and a.starts_at > :now) as to_come
    from appointments as a join clients as c on c.id = a.client_id where c.account_id is not null
""")
EVENING = datetime(2026, 3, 19, 2, 30, tzinfo=UTC)  # still the 18th where the practice is


def ignore_report(_: str) -> None:
    pass


def count_rows(installation: Installation, table: str) -> int:
    with installation.store.open_owner_connection() as connection:
        return connection.scalar(text(f"select count(*) from {table}")) or 0


def test_every_user_can_sign_in_with_the_demo_logins(own_installation: Installation) -> None:
    logins = create_demo(own_installation, EVENING, ignore_report, SMALL)
    assert [login["role"] for login in logins] == [*ROLES, "client", NEW_ADMIN]
    for login in logins:
        step = sign_in.sign_in(own_installation, login["email"], login["password"], EVENING)
        done = sign_in.verify_code(
            own_installation, step.token or "", pyotp.TOTP(login["authenticator"]).at(EVENING), EVENING
        )
        assert done.tokens is not None
        assert not done.tokens.training_lapsed
    with own_installation.store.open_owner_connection() as connection:
        visits = connection.execute(VISITS_OF_THE_CLIENT, {"now": EVENING}).one()
    assert visits.past > 0
    assert visits.to_come > 0
    imported = count_rows(own_installation, "appointments")
    assert imported > 500
    assert create_demo(own_installation, EVENING + timedelta(days=1), ignore_report, SMALL) == logins
    assert count_rows(own_installation, "practices") == 2
    assert count_rows(own_installation, "appointments") == imported


@pytest.mark.parametrize("at", ["scheduler", NEW_ADMIN])
def test_an_interrupted_demo_is_finished_by_the_next_run(
    own_installation: Installation, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    activate = demo.activate_login

    def interrupt(installation: Installation, role: str, *rest: Any) -> dict[str, Any]:
        if role == at:
            raise KeyboardInterrupt
        return activate(installation, role, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(demo, "activate_login", interrupt)
        with pytest.raises(KeyboardInterrupt):
            create_demo(own_installation, EVENING, ignore_report, SMALL)
    logins = create_demo(own_installation, EVENING, ignore_report, SMALL)
    assert [login["role"] for login in logins] == [*ROLES, "client", NEW_ADMIN]
    assert len({login["password"] for login in logins}) == 1
    assert count_rows(own_installation, "practices") == 2


def test_there_is_no_demo_in_production(own_installation: Installation) -> None:
    own_installation.settings.environment = "production"
    with pytest.raises(ConfigurationProblem, match="cannot be created in production"):
        create_demo(own_installation, EVENING, ignore_report)
    assert count_rows(own_installation, "practices") == 0
