"""Rule settings and the audit log over HTTP: changes from a date on, search, verification."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.security.audit import verify_chain
from practice.security.installation import Installation
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.drivers.http import V1, assert_ok, auth_headers, token_headers
from tests.support.drivers.sign_in_flow import set_clock

KEY = "hipaa_training_days"


def change_setting(client: TestClient, practice: PracticeFixture, value: Any, on: str, key: str = KEY) -> Any:
    return client.post(
        f"{V1}/settings/{key}", json={"value": value, "effective_on": on}, headers=auth_headers(practice)
    )


def read_setting(client: TestClient, practice: PracticeFixture, on: str | None = None) -> tuple[int, str | None]:
    params = {} if on is None else {"on": on}
    items = assert_ok(client.get(f"{V1}/settings", params=params, headers=auth_headers(practice)))["items"]
    (setting,) = [item for item in items if item["key"] == KEY]
    return setting["value"], setting["effective_on"]


def list_changes(client: TestClient, practice: PracticeFixture) -> list[tuple[int, str]]:
    items = assert_ok(client.get(f"{V1}/settings/{KEY}", headers=auth_headers(practice)))["items"]
    return [(item["value"], item["effective_on"]) for item in items]


def test_a_setting_applies_from_its_date_and_keeps_its_history(client: TestClient, practice: PracticeFixture) -> None:
    assert read_setting(client, practice) == (365, None)
    assert change_setting(client, practice, 180, "2026-05-01").status_code == 201
    assert change_setting(client, practice, 200, "2026-03-18").status_code == 201
    assert read_setting(client, practice, "2026-03-17") == (365, None)
    assert read_setting(client, practice) == (200, "2026-03-18")
    assert read_setting(client, practice, "2026-04-30") == (200, "2026-03-18")
    assert read_setting(client, practice, "2026-05-01") == (180, "2026-05-01")
    set_clock(client, timedelta(minutes=1))
    assert change_setting(client, practice, 190, "2026-05-01").status_code == 201  # the later change for a date wins
    assert read_setting(client, practice, "2026-06-01") == (190, "2026-05-01")
    assert list_changes(client, practice) == [(190, "2026-05-01"), (180, "2026-05-01"), (200, "2026-03-18")]


def test_the_past_is_refused_in_the_practices_time_zone(client: TestClient, installation: Installation) -> None:
    far_east, far_west = (
        make_practice(installation, time_zone="Pacific/Auckland"),
        make_practice(installation, time_zone="US/Hawaii"),
    )
    set_clock(client, timedelta())  # 15:30 UTC on the 18th: the 19th in Auckland, the 18th in Honolulu
    assert change_setting(client, far_east, 100, "2026-03-18").status_code == 422
    assert change_setting(client, far_east, 100, "2026-03-19").status_code == 201
    assert change_setting(client, far_west, 100, "2026-03-17").status_code == 422
    assert change_setting(client, far_west, 100, "2026-03-18").status_code == 201
    assert read_setting(client, far_east) == (100, "2026-03-19")


@pytest.mark.parametrize("value", [29, 1096, -1, 10**30, "100", 1.5, True, None, [100]])
def test_a_value_out_of_range_is_refused(client: TestClient, practice: PracticeFixture, value: Any) -> None:
    answer = change_setting(client, practice, value, "2026-04-01")
    if value == "100":  # a number written as text may be accepted
        assert answer.status_code in (201, 422)
    else:
        assert answer.status_code == 422
        assert list_changes(client, practice) == []


def test_an_unknown_setting_is_not_found(client: TestClient, practice: PracticeFixture) -> None:
    assert change_setting(client, practice, 100, "2026-04-01", key="color").status_code == 404
    assert client.get(f"{V1}/settings/color", headers=auth_headers(practice)).status_code == 404


def test_settings_are_separate_per_practice(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    change_setting(client, practice, 100, "2026-03-18")
    assert read_setting(client, make_practice(installation)) == (365, None)


@pytest.mark.parametrize("statement", ["update rule_settings set value = '1'", "delete from rule_settings"])
def test_past_settings_cannot_be_changed_in_the_database(
    client: TestClient, installation: Installation, practice: PracticeFixture, statement: str
) -> None:
    change_setting(client, practice, 100, "2026-03-18")
    with (
        installation.store.open_owner_connection("owner") as db,
        pytest.raises(Exception, match="never changed or removed"),
    ):
        db.execute(text(statement))


def verify_log(client: TestClient, practice: PracticeFixture) -> dict[str, Any]:
    return assert_ok(client.post(f"{V1}/audit/verify", headers=auth_headers(practice)))


def test_verification_detects_an_altered_log(own_installation: Installation, own_client: TestClient) -> None:
    practice = make_practice(own_installation)
    before = verify_log(own_client, practice)
    assert (before["intact"], before["problems"]) == (True, [])
    assert verify_log(own_client, practice)["entries"] == before["entries"] + 2  # that verification and this sign-in
    own_installation.anchor_audit(NOW)
    statement = "update audit_log set details = '{}' where action = 'staff.added' and tenant_id = :id"
    with own_installation.store.open_owner_connection() as db:
        db.execute(text("alter table audit_log disable trigger only_grows"))
        assert db.execute(text(statement), {"id": practice.id}).rowcount == 1
        db.commit()
    after = verify_log(own_client, practice)
    assert after["intact"] is False
    assert after["problems"]


def test_verification_of_a_growing_log_succeeds(installation: Installation, practice: PracticeFixture) -> None:
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            with practice.work() as work:
                work.record("noise.made")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        setting = []
        for _ in range(150):
            with installation.store.begin_session(practice.id) as db:
                setting += verify_chain(db, practice.id, installation.anchors).problems
    finally:
        stop.set()
        writer.join(timeout=15)
    assert setting == []


def test_an_entry_records_account_session_and_request(client: TestClient, practice: PracticeFixture) -> None:
    tokens = practice.tokens()
    headers = token_headers(tokens.access, X_Request_ID="request-of-this-test")
    client.post(f"{V1}/settings/{KEY}", json={"value": 100, "effective_on": "2026-04-01"}, headers=headers)
    items = assert_ok(client.get(f"{V1}/audit", params={"action": "setting.changed"}, headers=headers))["items"]
    (entry,) = items
    assert entry["account_id"] == str(practice.admin.account_id)
    assert entry["session_id"] == str(tokens.session_id)
    assert entry["request_id"] == "request-of-this-test"
    assert entry["details"] == {"key": KEY, "value": 100, "effective_on": "2026-04-01"}
    assert entry["at"] == "2026-03-18T15:30:00Z"


def test_a_search_for_an_action_finds_its_retired_names(client: TestClient, practice: PracticeFixture) -> None:
    with practice.work() as work:
        for action in ("deletion.asked", "deletion.requested", "deletion.read"):
            work.record(action, "client", practice.id)
    params = {"action": "deletion.requested"}
    items = assert_ok(client.get(f"{V1}/audit", params=params, headers=auth_headers(practice)))["items"]
    assert [item["action"] for item in items] == ["deletion.requested", "deletion.asked"]


def test_the_log_of_another_practice_is_not_visible(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    other = make_practice(installation)
    other.token()
    params = {"account_id": str(other.admin.account_id)}
    assert assert_ok(client.get(f"{V1}/audit", params=params, headers=auth_headers(practice)))["items"] == []
