"""Who may call what: every operation with every role, held against the matrix and against the table by hand."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.security.installation import Installation
from practice.security.permissions import MATRIX, scope_of
from practice.store.ids import new_id
from tests.support.drivers.http import code_of, comparable
from tests.support.drivers.operations import ROLES, World, make_world, operations_of, path_ids, sample_requests

# Written by hand from the practice's table, here or beside the operation's request in
# tests/support/drivers/sample_requests; `public` and `signed_in` are checked on their own.
EVERY_STAFF = {"admin", "supervisor", "clinician", "scheduler", "biller", "analyst"}
DIRECTORY = EVERY_STAFF - {"analyst"}
ALLOWED: dict[str, set[str]] = {
    "list_staff": DIRECTORY,
    "get_staff": DIRECTORY,
    "add_staff": {"admin"},
    "change_staff": {"admin"},
    "deactivate_staff": {"admin"},
    "invite_staff": {"admin"},
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
}
SIGNED_IN = {"me", "logout", "list_sessions", "end_session", "change_password"}
PUBLIC = {
    *("login", "enrol_authenticator", "confirm_authenticator", "verify_code", "choose_practice", "refresh_tokens"),
    *("accept_invitation", "ask_password_reset", "reset_password", "live", "ready"),
}

# What does not exist, where it is no id.
MISSING = {"key": "nothing_like_it", "closed_on": "2031-06-06", "number": "4711"}

# Cells of the table: (record, verb) -> how far each role reaches; who is not named reaches nothing.
TABLE: dict[tuple[str, str], dict[str, str]] = {
    ("settings", "write"): {"admin": "all"},
    ("services", "read"): dict.fromkeys(DIRECTORY | {"client"}, "all"),
    ("services", "write"): {"admin": "all"},
    ("fees", "read"): {"admin": "all", "supervisor": "all", "biller": "all"},
    ("fees", "write"): {"admin": "all", "biller": "all"},
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
    ("clients", "documents"): {"admin": "all", "supervisor": "team", "clinician": "own", "scheduler": "all"},
    ("clients", "contact"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("coverages", "write"): {"admin": "all", "scheduler": "all", "biller": "all"},
    ("consents", "write"): {"admin": "all", "scheduler": "all"},
    ("consents", "sign"): {"admin": "all", "scheduler": "all", "client": "own"},
    ("notes", "read"): {"supervisor": "team", "clinician": "own", "client": "shared"},
    ("notes", "read_with_reason"): {"admin": "all"},
    ("notes", "write"): {"clinician": "own"},
    ("notes", "co_sign"): {"supervisor": "team"},
    ("notes", "unlock"): {"admin": "all", "supervisor": "team"},
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
    ("metrics", "read"): {"admin": "all", "supervisor": "team", "clinician": "own"},
    ("metrics", "values"): {"analyst": "all"},
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


def operations(client: TestClient) -> list[Any]:
    return operations_of(client.get("/api/v1/openapi.json").json())


@pytest.mark.parametrize("cell", TABLE, ids=".".join)
def test_the_matrix_says_what_the_practice_agreed_on(cell: tuple[str, str]) -> None:
    found = {role: str(scope) for (record, verb, role), scope in MATRIX.items() if (record, verb) == cell}
    assert found == TABLE[cell]


def test_several_roles_reach_as_far_as_the_widest_of_them() -> None:
    assert scope_of(frozenset({"clinician", "supervisor"}), "pay", "read") == "team"
    assert scope_of(frozenset({"clinician", "biller"}), "pay", "read") == "all"
    assert scope_of(frozenset({"clinician", "biller"}), "notes", "read") == "own"
    assert scope_of(frozenset(), "staff", "read") is None
    assert scope_of(frozenset({"platform_admin"}), "clients", "read") is None


def test_every_operation_lets_in_those_of_the_table_and_nobody_else(client: TestClient, world: World) -> None:
    wrong = []
    seen = set()
    allowed = ALLOWED | {name: order.allowed for name, order in sample_requests().items()}
    for operation in operations(client):
        seen.add(operation.id)
        if operation.permission in ("public", "signed_in"):
            assert operation.id in (PUBLIC if operation.permission == "public" else SIGNED_IN)
            continue
        record, _, verb = operation.permission.partition(".")
        for role in ROLES:
            answer = client.request(**operation.request(world, role))
            refused = answer.status_code == 403
            assert refused or answer.status_code < 300, (operation.id, role, answer.text)
            assert not refused or code_of(answer) == "FORBIDDEN"
            verbs = [verb, f"{verb}_with_reason"] if operation.for_a_reason else [verb]
            by_matrix = any(scope_of(frozenset({role}), record, one) for one in verbs)
            by_matrix = role == "platform_admin" if verb == "" else by_matrix
            by_hand = role in allowed[operation.id]
            if not by_matrix == by_hand == (not refused):
                wrong.append((operation.id, role, by_matrix, by_hand, not refused))
    assert wrong == []
    assert seen == {*allowed, *SIGNED_IN, *PUBLIC}


def test_nobody_comes_in_without_a_sign_in(client: TestClient, world: World) -> None:
    for operation in operations(client):
        if operation.permission == "public":
            continue
        request = operation.request(world, None)
        answer = client.request(**request)
        assert (answer.status_code, code_of(answer)) == (401, "UNAUTHORIZED"), operation.id
        request["headers"] |= {"Authorization": "Bearer of-nothing"}
        assert client.request(**request).status_code == 401


def test_whoever_is_signed_in_may_do_what_concerns_themselves(client: TestClient, world: World) -> None:
    for operation in operations(client):
        if operation.permission == "signed_in":
            for role in ROLES:
                request = operation.request(world, role)
                request["headers"] = world.headers(role, fresh=True)
                answer = client.request(**request)
                if operation.id == "change_password":
                    assert code_of(answer) in ("WRONG_CREDENTIALS", "SIGN_IN_LOCKED")
                else:
                    assert answer.status_code < 300, (operation.id, role, answer.text)


def test_an_id_of_another_practice_answers_as_one_that_does_not_exist(
    client: TestClient, installation: Installation, world: World
) -> None:
    other = make_world(installation)
    theirs = {
        "staff_id": str(other.spare.staff_id),
        "practice_id": str(other.practice.id),
        "session_id": str(other.start_session("clinician").session_id),
        "key": "no_such_setting",
    }
    walked = 0
    for operation in operations(client):
        if "{" not in operation.path:
            continue
        foreign_ids = path_ids(other, operation.id, None) if operation.id in sample_requests() else theirs
        foreign_ids = {name: one for name, one in foreign_ids.items() if name != "week"}  # every practice has it
        if not foreign_ids:
            continue
        for role in (*ROLES, None):
            if operation.permission == "platform" and role == "platform_admin":
                continue  # practices are theirs to see, all of them
            foreign = client.request(**operation.request(world, role, **foreign_ids))
            random = {name: MISSING.get(name) or str(new_id()) for name in foreign_ids}
            missing = client.request(**operation.request(world, role, **random))
            assert comparable(foreign) == comparable(missing), (operation.id, role)
            assert foreign.status_code in (401, 403, 404)
            assert not any(made_up in missing.json()["error"]["message"] for made_up in random.values())
            walked += 1
    assert walked >= 80
