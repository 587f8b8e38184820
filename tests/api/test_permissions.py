"""Permissions: every operation with every role, compared with the matrix and with a table written by hand."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.security.installation import Installation
from practice.security.permissions import MATRIX, find_scope
from practice.store.ids import new_id
from tests.support.drivers.http import error_code, to_comparable
from tests.support.drivers.operations import (
    ROLES,
    World,
    list_operations,
    load_sample_requests,
    make_path_ids,
    make_world,
)

# Written by hand from the practice's table, here or with the sample request of the operation in
# tests/support/drivers/sample_requests. `public` and `signed_in` operations are checked separately.
EVERY_STAFF = {"admin", "supervisor", "clinician", "scheduler", "biller", "analyst"}
DIRECTORY = EVERY_STAFF - {"analyst"}
ALLOWED: dict[str, set[str]] = {
    "list_staff": DIRECTORY,
    "get_staff": DIRECTORY,
    "add_staff": {"admin"},
    "change_staff": {"admin"},
    "deactivate_staff": {"admin"},
    "list_trainings": EVERY_STAFF,
    "record_training": EVERY_STAFF,
    "list_settings": DIRECTORY,
    "get_setting_history": DIRECTORY,
    "change_setting": {"admin"},
    "search_audit_log": {"admin"},
    "verify_audit_log": {"admin"},
    "list_practices": {"platform_admin"},
    "create_practice": {"platform_admin"},
    "get_practice": {"platform_admin"},
    "change_practice": {"platform_admin"},
    "create_dagster_ticket": {"platform_admin"},
}
SIGNED_IN = {"get_me", "log_out", "list_sessions", "end_session", "change_password", "renew_recovery_codes"}
PUBLIC = {
    *("log_in", "enroll_authenticator", "confirm_authenticator", "verify_code", "choose_practice", "refresh_tokens"),
    *("accept_invitation", "request_password_reset", "reset_password", "confirm_email_change"),
    *("check_live", "check_ready"),
}

# Values of path parameters that are not ids and do not exist.
MISSING = {"key": "nothing_like_it", "closed_on": "2031-06-06", "number": "4711"}

# (record, verb) -> scope of each role; a role that is not listed has no access.
TABLE: dict[tuple[str, str], dict[str, str]] = {
    ("practice", "read"): dict.fromkeys(EVERY_STAFF, "all"),
    ("practice", "write"): {"admin": "all"},
    ("exports", "write"): {"admin": "all"},
    ("settings", "write"): {"admin": "all"},
    ("services", "read"): dict.fromkeys(DIRECTORY | {"client"}, "all"),
    ("services", "write"): {"admin": "all"},
    ("fees", "read"): {"admin": "all", "supervisor": "all", "biller": "all"},
    ("fees", "write"): {"admin": "all"},
    ("rooms", "write"): {"admin": "all", "scheduler": "all"},
    ("staff", "write"): {"admin": "all"},
    ("pay", "read"): {"admin": "all", "supervisor": "team", "clinician": "own", "biller": "all"},
    ("pay", "write"): {"admin": "all"},
    ("pay", "process"): {"admin": "all", "biller": "all"},
    ("clients", "read"): {
        **{"admin": "all", "supervisor": "team", "clinician": "own"},
        **{"scheduler": "all", "biller": "all", "client": "own"},
    },
    ("clients", "write"): {"admin": "all", "scheduler": "all"},
    ("clients", "change"): {"admin": "all", "supervisor": "team", "clinician": "own", "scheduler": "all"},
    ("clients", "clinical"): {"supervisor": "team", "clinician": "own"},
    ("clients", "documents"): {"admin": "all", "supervisor": "team", "clinician": "own", "scheduler": "all"},
    ("clients", "clinical_documents"): {"admin": "all", "supervisor": "team", "clinician": "own", "client": "own"},
    ("clients", "contact"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("clients", "approve_email"): {"admin": "all"},
    ("clients", "confirm_email"): {"client": "own"},
    ("coverages", "write"): {"admin": "all", "scheduler": "all", "biller": "all"},
    ("consents", "write"): {"admin": "all", "scheduler": "all"},
    ("consents", "sign"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("notes", "read"): {"supervisor": "team", "clinician": "own", "client": "shared"},
    ("notes", "read_with_reason"): {"admin": "all"},
    ("notes", "write"): {"clinician": "own"},
    ("notes", "co_sign"): {"supervisor": "team"},
    ("notes", "unlock"): {"admin": "all", "supervisor": "team"},
    ("notes", "strike"): {"supervisor": "team", "clinician": "own"},
    ("plans", "read"): {"supervisor": "team", "clinician": "own"},
    ("plans", "read_with_reason"): {"admin": "all"},
    ("plans", "write"): {"clinician": "own"},
    ("supervision", "read"): {"admin": "all", "supervisor": "team", "clinician": "own"},
    ("supervision", "write"): {"admin": "all", "supervisor": "team"},
    ("appointments", "write"): {"admin": "all", "scheduler": "all"},
    ("appointments", "book"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("appointments", "move"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("appointments", "cancel"): {"admin": "all", "scheduler": "all", "clinician": "own", "client": "own"},
    ("appointments", "status"): {"admin": "all", "scheduler": "all", "clinician": "own"},
    ("appointments", "ask_to_move"): {"clinician": "own"},
    ("appointments", "read_requests"): {"admin": "all", "supervisor": "team", "clinician": "own", "scheduler": "all"},
    ("waitlist", "answer"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("availability", "free_slots"): {
        **{"admin": "all", "supervisor": "all", "clinician": "all", "scheduler": "all", "client": "all"},
    },
    ("availability", "write"): {"admin": "all", "clinician": "own", "scheduler": "all"},
    ("session_completions", "read"): {
        **{"admin": "all", "supervisor": "team", "clinician": "own"},
        **{"scheduler": "all", "biller": "all"},
    },
    ("session_completions", "write"): {"admin": "all", "supervisor": "team", "clinician": "own"},
    ("session_completions", "create"): {"admin": "all", "supervisor": "team", "clinician": "own", "scheduler": "all"},
    ("session_completions", "sign"): {"supervisor": "team", "clinician": "own"},
    ("session_completions", "override"): {"admin": "all", "supervisor": "team"},
    ("billing", "read"): {"admin": "all", "clinician": "own", "biller": "all"},
    ("billing", "write"): {"admin": "all", "biller": "all"},
    ("expenses", "read"): {"admin": "all", "biller": "all"},
    ("expenses", "write"): {"admin": "all", "biller": "all"},
    ("dashboards", "my_practice"): {"clinician": "own"},
    ("dashboards", "team"): {"supervisor": "team"},
    ("dashboards", "note"): {"supervisor": "team", "clinician": "own"},
    ("dashboards", "client"): {"admin": "all", "supervisor": "team", "clinician": "own"},
    ("dashboards", "overview"): {"admin": "all"},
    ("dashboards", "schedule"): {"admin": "all", "scheduler": "all"},
    ("dashboards", "payroll"): {"admin": "all", "biller": "all"},
    ("dashboards", "compliance"): {"admin": "all", "supervisor": "team", "clinician": "own"},
    ("dashboards", "data_quality"): {"admin": "all"},
    ("dashboards", "remind"): {"admin": "all", "supervisor": "team"},
    ("dashboards", "reports"): {"admin": "all", "supervisor": "team", "clinician": "own", "biller": "all"},
    ("reports", "read"): {"admin": "all", "supervisor": "own", "clinician": "own", "biller": "own"},
    ("reports", "write"): {"admin": "all", "supervisor": "own", "clinician": "own", "biller": "own"},
    ("reports", "share"): {"admin": "all"},
    ("reports", "money"): {"admin": "all", "supervisor": "team", "clinician": "own", "biller": "all"},
    ("reports", "clients"): {"admin": "all", "supervisor": "team", "clinician": "own"},
    ("metrics", "read"): {
        **{"admin": "all", "supervisor": "team", "clinician": "own"},
        **{"scheduler": "all", "biller": "all", "analyst": "all"},
    },
    ("metrics", "live"): {"admin": "all", "supervisor": "team", "clinician": "own", "analyst": "all"},
    ("metrics", "rows"): {
        **{"admin": "all", "supervisor": "team", "clinician": "own", "scheduler": "all", "biller": "all"},
    },
    ("deletion_requests", "read"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("deletion_requests", "ask"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("deletion_requests", "review"): {"admin": "all"},
    ("deletion_requests", "redact"): {"admin": "all"},
    ("intake", "read"): {"supervisor": "team", "clinician": "own", "client": "own"},
    ("intake", "read_with_reason"): {"admin": "all"},
    ("intake", "write"): {"clinician": "own", "client": "own"},
    ("intake", "begin"): {"admin": "all", "clinician": "own", "scheduler": "all", "client": "own"},
    ("intake", "state"): {
        **{"admin": "all", "supervisor": "team", "clinician": "own"},
        **{"scheduler": "all", "client": "own"},
    },
    ("incidents", "read"): {"admin": "all"},
    ("incidents", "write"): {"admin": "all"},
    ("incidents", "report"): dict.fromkeys(EVERY_STAFF, "all"),
    ("goals", "read"): {"admin": "all", "supervisor": "team", "clinician": "own"},
    ("goals", "write"): {"admin": "all", "supervisor": "team"},
    ("audit", "read"): {"admin": "all"},
}


@pytest.fixture(scope="module")
def world(installation: Installation) -> World:
    return make_world(installation)


def load_operations(client: TestClient) -> list[Any]:
    return list_operations(client.get("/api/v1/openapi.json").json())


@pytest.mark.parametrize("cell", TABLE, ids=".".join)
def test_the_matrix_matches_the_agreed_permissions(cell: tuple[str, str]) -> None:
    scopes = {role: str(scope) for (record, verb, role), scope in MATRIX.items() if (record, verb) == cell}
    assert scopes == TABLE[cell]


def test_several_roles_have_the_widest_scope_of_them() -> None:
    assert find_scope(frozenset({"clinician", "supervisor"}), "pay", "read") == "team"
    assert find_scope(frozenset({"clinician", "biller"}), "pay", "read") == "all"
    assert find_scope(frozenset({"clinician", "biller"}), "notes", "read") == "own"
    assert find_scope(frozenset(), "staff", "read") is None
    assert find_scope(frozenset({"platform_admin"}), "clients", "read") is None


def test_every_operation_admits_exactly_the_roles_of_the_table(client: TestClient, world: World) -> None:
    mismatches = []
    tested = set()
    allowed = ALLOWED | {name: sample.allowed for name, sample in load_sample_requests().items()}
    for operation in load_operations(client):
        tested.add(operation.id)
        if operation.permission in ("public", "signed_in"):
            assert operation.id in (PUBLIC if operation.permission == "public" else SIGNED_IN)
            continue
        record, _, verb = operation.permission.partition(".")
        for role in ROLES:
            answer = client.request(**operation.request(world, role))
            refused = answer.status_code == 403
            assert refused or answer.status_code < 300, (operation.id, role, answer.text)
            assert not refused or error_code(answer) == "FORBIDDEN"
            verbs = [verb, f"{verb}_with_reason"] if operation.takes_reason else [verb]
            by_matrix = any(find_scope(frozenset({role}), record, name) for name in verbs)
            by_matrix = role == "platform_admin" if verb == "" else by_matrix
            by_hand = role in allowed[operation.id]
            if not by_matrix == by_hand == (not refused):
                mismatches.append((operation.id, role, by_matrix, by_hand, not refused))
    assert mismatches == []
    assert tested == {*allowed, *SIGNED_IN, *PUBLIC}


def test_every_operation_requires_a_sign_in(client: TestClient, world: World) -> None:
    for operation in load_operations(client):
        if operation.permission == "public":
            continue
        request = operation.request(world, None)
        answer = client.request(**request)
        assert (answer.status_code, error_code(answer)) == (401, "UNAUTHORIZED"), operation.id
        request["headers"] |= {"Authorization": "Bearer invalid"}
        assert client.request(**request).status_code == 401


def test_signed_in_people_can_manage_their_own_sessions(client: TestClient, world: World) -> None:
    for operation in load_operations(client):
        if operation.permission == "signed_in":
            for role in ROLES:
                request = operation.request(world, role)
                request["headers"] = world.headers(role, fresh=True)
                answer = client.request(**request)
                if operation.id in ("change_password", "renew_recovery_codes"):
                    assert error_code(answer) in ("WRONG_CREDENTIALS", "SIGN_IN_LOCKED")
                else:
                    assert answer.status_code < 300, (operation.id, role, answer.text)


def test_an_id_of_another_practice_is_answered_like_a_missing_one(
    client: TestClient, installation: Installation, world: World
) -> None:
    other = make_world(installation)
    foreign_defaults = {
        "staff_id": str(other.spare.staff_id),
        "practice_id": str(other.practice.id),
        "session_id": str(other.start_session("clinician").session_id),
        "key": "no_such_setting",
    }
    checked = 0
    for operation in load_operations(client):
        if "{" not in operation.path:
            continue
        foreign_ids = (
            make_path_ids(other, operation.id, None) if operation.id in load_sample_requests() else foreign_defaults
        )
        foreign_ids = {
            name: value for name, value in foreign_ids.items() if name not in ("week", "metric")
        }  # every practice has them
        if not foreign_ids:
            continue
        for role in (*ROLES, None):
            if operation.permission == "platform" and role == "platform_admin":
                continue  # platform admins see every practice
            foreign = client.request(**operation.request(world, role, **foreign_ids))
            random = {name: MISSING.get(name) or str(new_id()) for name in foreign_ids}
            missing = client.request(**operation.request(world, role, **random))
            assert to_comparable(foreign) == to_comparable(missing), (operation.id, role)
            assert foreign.status_code in (401, 403, 404)
            assert not any(value in missing.json()["error"]["message"] for value in random.values())
            checked += 1
    assert checked >= 80
