"""How callers are counted for rate limits, and that one audit verification runs at a time."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.context import find_network
from practice.security.audit import VERIFICATION_LOCK
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import V1, auth_headers, error_code


@pytest.mark.parametrize(
    ("host", "caller"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_network_is_one_caller(host: str, caller: str) -> None:
    assert find_network(host) == caller


def test_one_verification_runs_at_a_time(client: TestClient, practice: PracticeFixture) -> None:
    with practice.installation.store.engine.connect() as verification:
        verification.execute(text("select pg_advisory_xact_lock(:key)"), {"key": VERIFICATION_LOCK})
        response = client.post(f"{V1}/audit/verify", headers=auth_headers(practice))
        assert (response.status_code, error_code(response)) == (409, "VERIFICATION_RUNS")
        verification.rollback()
    assert client.post(f"{V1}/audit/verify", headers=auth_headers(practice)).json()["intact"] is True
