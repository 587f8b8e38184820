"""The API conforms to its OpenAPI document: every response to a generated request is one that is documented.

Each generated request is sent as every role, sometimes with valid ids, versions and bodies so that successful
responses are checked too. CASELOAD_LONG=1 generates many more requests.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from anyio.from_thread import BlockingPortal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.field_problems import GENERAL
from practice.security.installation import Installation
from tests.support.builders.people import NOW
from tests.support.drivers.operations import (
    ROLES,
    Operation,
    World,
    find_sample_request,
    list_operations,
    load_version,
    make_body,
    make_path_ids,
    make_query,
    make_world,
)
from tests.support.harness.in_process import InProcessClient

LONG = bool(os.environ.get("CASELOAD_LONG"))
EXAMPLES = 150 if LONG else 10
PARTS = 8  # shared among test workers
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

# Operations that no generated request can complete, and why. Other tests cover their success.
UNREACHABLE: dict[str, str] = {
    "log_in": "needs a person's password",
    "enroll_authenticator": "needs the secret of a sign-in that has passed the password",
    "confirm_authenticator": "needs that secret and a code of the new authenticator",
    "verify_code": "needs that secret and a code of the person's authenticator",
    "choose_practice": "needs the secret of a sign-in that has passed both factors",
    "refresh_tokens": "needs a refresh token, which only its holder has",
    "accept_invitation": "needs the secret of an invitation",
    "reset_password": "needs the secret of an emailed link",
    "confirm_email_change": "needs the secret of an emailed link",
    "change_password": "needs the person's current password",
    "renew_recovery_codes": "needs the person's current password",
}


class Contract:
    """The service in-process, and the statuses that its operations have returned so far."""

    def __init__(self, installation: Installation, portal: BlockingPortal) -> None:
        app = create_app(installation, clock=lambda: NOW)
        self.client = InProcessClient(app, portal)
        spec = app.openapi()
        self.schema = schemathesis.openapi.from_dict(spec)
        self.operations = {operation.id: operation for operation in list_operations(spec)}
        self.installation = installation
        self.world: World
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)

    def list_cases(self) -> Iterator[tuple[Operation, Any]]:
        for result in self.schema.get_all_operations():
            api_operation = result.ok()
            yield self.operations[api_operation.definition.raw["operationId"]], api_operation

    def send(self, operation: Operation, case: Any, role: str | None, valid_parts: frozenset[str]) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        headers = {str(name): str(value) for name, value in (sent.get("headers") or {}).items()}
        for name in ("Authorization", "authorization", "Cookie"):
            headers.pop(name, None)
        headers |= self.world.headers(role, fresh=operation.id in ("log_out", "change_password"))
        url = sent["url"]
        with_version = operation.versioned and "version" in valid_parts
        ids = make_path_ids(self.world, operation.id, role) if with_version or "ids" in valid_parts else {}
        if "ids" in valid_parts:
            url = f"http://testserver{operation.path.format(**ids)}"
        if with_version:
            headers["If-Match"] = f'"{load_version(self.world, operation.id, ids)}"'
        sample = find_sample_request(operation.id)
        body = {name: sent[name] for name in ("json", "content") if name in sent}
        if "data" in sent:
            body = {"content": sent["data"]}
        if "files" in sent:
            body = encode_form(headers, files=sent["files"], data=sent.get("data"))
        complete_body = make_body(self.world, operation.id, role) if "body" in valid_parts else None
        if complete_body is not None:
            body = encode_form(headers, files=complete_body) if sample.sent_as == "files" else {"json": complete_body}
        params = make_query(self.world, operation.id) if "query" in valid_parts else sent.get("params")
        headers |= sample.headers if "query" in valid_parts else {}
        response = self.client.request(operation.method, url, params=params, headers=headers, **body)
        self.statuses[operation.id][response.status_code] += 1
        case.validate_response(response, checks=CHECKS)
        if response.status_code == 422:
            assert GENERAL not in response.text, "a kind of error without a sentence of its own"


def encode_form(headers: dict[str, str], **parts: Any) -> dict[str, Any]:
    """Return the request body of a multipart form and set its content type in the headers."""
    form = requests.Request("POST", "http://testserver", **parts).prepare()
    for name in [name for name in headers if name.lower() == "content-type"]:
        del headers[name]
    headers["Content-Type"] = form.headers.get("Content-Type", "multipart/form-data")
    return {"content": form.body}


@pytest.fixture(scope="module")
def contract(installation: Installation, portal: BlockingPortal) -> Contract:
    return Contract(installation, portal)


def fuzz_operation(contract: Contract, operation: Operation, api_operation: Any) -> None:
    """Send generated requests to an operation as every role."""
    callers = [None] if operation.permission == "public" else [None, *ROLES]
    parts = st.frozensets(st.sampled_from(["ids", "version", "body", "query"]))
    modes = [api_operation.as_strategy(generation_mode=mode) for mode in list_modes(api_operation)]
    slow = operation.id in ("log_in", "change_password")  # argon2

    @settings(
        max_examples=max(3, EXAMPLES // 4) if slow else EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of(*modes), valid_parts=st.one_of(st.just(frozenset(["ids", "version", "body", "query"])), parts)
    )
    def run(case: Any, valid_parts: frozenset[str]) -> None:
        for role in callers:
            contract.send(operation, case, role, valid_parts)

    run()


def list_modes(api_operation: Any) -> list[GenerationMode]:
    """Return the generation modes; invalid requests exist only for operations with parameters or a body."""
    has_input = list(api_operation.iter_parameters()) or list(api_operation.body)
    return [GenerationMode.POSITIVE, GenerationMode.NEGATIVE] if has_input else [GenerationMode.POSITIVE]


def test_every_operation_is_covered(contract: Contract) -> None:
    assert {operation.id for operation, _ in contract.list_cases()} == set(contract.operations)
    assert set(UNREACHABLE) <= set(contract.operations)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_response_is_documented(contract: Contract, part: int) -> None:
    contract.world = make_world(contract.installation)  # bookings of other parts do not conflict
    called = set()
    for operation, api_operation in list(contract.list_cases())[part::PARTS]:
        fuzz_operation(contract, operation, api_operation)
        called.add(operation.id)
    statuses = {name: contract.statuses[name] for name in called}
    cases = sum(sum(counts.values()) for counts in statuses.values())
    assert cases >= EXAMPLES * len(called)
    unreached = {name for name, counts in statuses.items() if not any(200 <= status < 300 for status in counts)}
    assert unreached == set(UNREACHABLE) & called
    print(f"{cases} requests")  # noqa: T201 - read with -s
