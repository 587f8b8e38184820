"""Whom sign-ins are counted by, and what one person alone may ask for at a time."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.context import network_of
from practice.security.audit import VERIFYING
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import V1, bearer, code_of


@pytest.mark.parametrize(
    ("host", "caller"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_of_ipv6_a_network_is_one_caller(host: str, caller: str) -> None:
    assert network_of(host) == caller


def test_one_verification_runs_at_a_time(client: TestClient, practice: PracticeFixture) -> None:
    with practice.installation.store.engine.connect() as busy:
        busy.execute(text("select pg_advisory_xact_lock(:key)"), {"key": VERIFYING})
        refused = client.post(f"{V1}/audit/verify", headers=bearer(practice))
        assert (refused.status_code, code_of(refused)) == (409, "VERIFICATION_RUNS")
        busy.rollback()
    assert client.post(f"{V1}/audit/verify", headers=bearer(practice)).json()["intact"] is True
