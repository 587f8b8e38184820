"""The practice's rule settings from a date on, and its audit log: searching it and verifying it."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.security.audit import verify_chain
from practice.security.installation import Installation
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.drivers.http import V1, bearer, with_token
from tests.support.drivers.sign_in_flow import move, ok

KEY = "hipaa_training_days"


def put(client: TestClient, practice: PracticeFixture, value: Any, on: str, key: str = KEY) -> Any:
    return client.post(f"{V1}/settings/{key}", json={"value": value, "effective_on": on}, headers=bearer(practice))


def in_force(client: TestClient, practice: PracticeFixture, on: str | None = None) -> tuple[int, str | None]:
    params = {} if on is None else {"on": on}
    items = ok(client.get(f"{V1}/settings", params=params, headers=bearer(practice)))["items"]
    (found,) = [item for item in items if item["key"] == KEY]
    return found["value"], found["effective_on"]


def history(client: TestClient, practice: PracticeFixture) -> list[tuple[int, str]]:
    items = ok(client.get(f"{V1}/settings/{KEY}", headers=bearer(practice)))["items"]
    return [(item["value"], item["effective_on"]) for item in items]


def test_a_setting_holds_from_its_date_on_and_rewrites_nothing(client: TestClient, practice: PracticeFixture) -> None:
    assert in_force(client, practice) == (365, None)
    assert put(client, practice, 180, "2026-05-01").status_code == 201
    assert put(client, practice, 200, "2026-03-18").status_code == 201
    assert in_force(client, practice, "2026-03-17") == (365, None)
    assert in_force(client, practice) == (200, "2026-03-18")
    assert in_force(client, practice, "2026-04-30") == (200, "2026-03-18")
    assert in_force(client, practice, "2026-05-01") == (180, "2026-05-01")
    move(client, timedelta(minutes=1))
    assert put(client, practice, 190, "2026-05-01").status_code == 201  # the later word about the same day holds
    assert in_force(client, practice, "2026-06-01") == (190, "2026-05-01")
    assert history(client, practice) == [(190, "2026-05-01"), (180, "2026-05-01"), (200, "2026-03-18")]


def test_the_past_is_refused_by_the_practices_own_calendar(client: TestClient, installation: Installation) -> None:
    far_east, far_west = (
        make_practice(installation, time_zone="Pacific/Auckland"),
        make_practice(installation, time_zone="US/Hawaii"),
    )
    move(client, timedelta())  # 15:30 UTC on the 18th: the 19th in Auckland, the 18th in Honolulu
    assert put(client, far_east, 100, "2026-03-18").status_code == 422
    assert put(client, far_east, 100, "2026-03-19").status_code == 201
    assert put(client, far_west, 100, "2026-03-17").status_code == 422
    assert put(client, far_west, 100, "2026-03-18").status_code == 201
    assert in_force(client, far_east) == (100, "2026-03-19")


@pytest.mark.parametrize("value", [29, 1096, -1, 10**30, "100", 1.5, True, None, [100]])
def test_a_value_out_of_its_bounds_is_refused(client: TestClient, practice: PracticeFixture, value: Any) -> None:
    answer = put(client, practice, value, "2026-04-01")
    if value == "100":  # a number written as text is one
        assert answer.status_code in (201, 422)
    else:
        assert answer.status_code == 422
        assert history(client, practice) == []


def test_there_is_no_such_setting(client: TestClient, practice: PracticeFixture) -> None:
    assert put(client, practice, 100, "2026-04-01", key="colour").status_code == 404
    assert client.get(f"{V1}/settings/colour", headers=bearer(practice)).status_code == 404


def test_settings_are_each_practices_own(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    put(client, practice, 100, "2026-03-18")
    assert in_force(client, make_practice(installation)) == (365, None)


@pytest.mark.parametrize("statement", ["update rule_settings set value = '1'", "delete from rule_settings"])
def test_what_was_decided_cannot_be_changed_even_in_the_database(
    client: TestClient, installation: Installation, practice: PracticeFixture, statement: str
) -> None:
    put(client, practice, 100, "2026-03-18")
    with installation.store.owner_connection("owner") as db, pytest.raises(Exception, match="never changed or removed"):
        db.execute(text(statement))


def verify(client: TestClient, practice: PracticeFixture) -> dict[str, Any]:
    return ok(client.post(f"{V1}/audit/verify", headers=bearer(practice)))


def test_the_log_is_verified_and_an_altered_one_is_found(
    own_installation: Installation, own_client: TestClient
) -> None:
    practice = make_practice(own_installation)
    before = verify(own_client, practice)
    assert (before["intact"], before["problems"]) == (True, [])
    assert verify(own_client, practice)["entries"] == before["entries"] + 2  # that one, and this sign-in
    own_installation.anchor_audit(NOW)
    alter = "update audit_log set details = '{}' where action = 'staff.added' and tenant_id = :id"
    with own_installation.store.owner_connection() as db:
        db.execute(text("alter table audit_log disable trigger only_grows"))
        assert db.execute(text(alter), {"id": practice.id}).rowcount == 1
        db.commit()
    after = verify(own_client, practice)
    assert after["intact"] is False
    assert after["problems"]


def test_a_log_that_grows_meanwhile_is_not_called_altered(
    installation: Installation, practice: PracticeFixture
) -> None:
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            with practice.work() as work:
                work.record("noise.made")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        found = []
        for _ in range(150):
            with installation.store.session_in(practice.id) as db:
                found += verify_chain(db, practice.id, installation.anchors).problems
    finally:
        stop.set()
        writer.join(timeout=15)
    assert found == []


def test_an_entry_tells_who_did_what_in_which_request(client: TestClient, practice: PracticeFixture) -> None:
    tokens = practice.tokens()
    headers = with_token(tokens.access, X_Request_ID="request-of-this-test")
    client.post(f"{V1}/settings/{KEY}", json={"value": 100, "effective_on": "2026-04-01"}, headers=headers)
    items = ok(client.get(f"{V1}/audit", params={"action": "setting.changed"}, headers=headers))["items"]
    (entry,) = items
    assert entry["account_id"] == str(practice.admin.account_id)
    assert entry["session_id"] == str(tokens.session_id)
    assert entry["request_id"] == "request-of-this-test"
    assert entry["details"] == {"key": KEY, "value": 100, "effective_on": "2026-04-01"}
    assert entry["at"] == "2026-03-18T15:30:00Z"


def test_nobody_reads_the_log_of_another_practice(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    other = make_practice(installation)
    other.token()
    wanted = {"account_id": str(other.admin.account_id)}
    assert ok(client.get(f"{V1}/audit", params=wanted, headers=bearer(practice)))["items"] == []
