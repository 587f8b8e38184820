"""The API's document is true: whatever is sent, as whomever, the answer is one that the document tells of.

Each generated request is sent as every role, some of the time with ids, versions and bodies that are in order, so that
the answers of success are held against the document too. CASELOAD_LONG=1 generates many more.
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
from practice.security.installation import Installation
from tests.support.builders.people import NOW
from tests.support.drivers.operations import (
    ROLES,
    Operation,
    World,
    body_for,
    make_world,
    operations_of,
    order_of,
    path_ids,
    query_for,
    version_of,
)
from tests.support.harness.in_process import Service

LONG = bool(os.environ.get("CASELOAD_LONG"))
EXAMPLES = 150 if LONG else 10
PARTS = 8  # so that several workers share them
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

# Operations that no generated request brings to success, and why. Their successes have tests of their own.
NEVER: dict[str, str] = {
    "login": "needs a person's password",
    "enrol_authenticator": "needs the secret of a sign-in that has passed the password",
    "confirm_authenticator": "needs that secret and a code of the new authenticator",
    "verify_code": "needs that secret and a code of the person's authenticator",
    "choose_practice": "needs the secret of a sign-in that has passed both factors",
    "refresh_tokens": "needs a refresh token, which only its holder has",
    "accept_invitation": "needs the secret of an invitation",
    "reset_password": "needs the secret of a letter",
    "change_password": "needs the person's present password",
}


class Contract:
    """The service in-process, and what its operations have answered so far."""

    def __init__(self, installation: Installation, portal: BlockingPortal) -> None:
        app = create_app(installation, clock=lambda: NOW)
        self.client = Service(app, portal)
        spec = app.openapi()
        self.schema = schemathesis.openapi.from_dict(spec)
        self.operations = {operation.id: operation for operation in operations_of(spec)}
        self.installation = installation
        self.world: World
        self.answered: dict[str, Counter[int]] = defaultdict(Counter)

    def cases(self) -> Iterator[tuple[Operation, Any]]:
        for found in self.schema.get_all_operations():
            api_operation = found.ok()
            yield self.operations[api_operation.definition.raw["operationId"]], api_operation

    def send(self, operation: Operation, case: Any, role: str | None, in_order: frozenset[str]) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        headers = {str(name): str(value) for name, value in (sent.get("headers") or {}).items()}
        for name in ("Authorization", "authorization", "Cookie"):
            headers.pop(name, None)
        headers |= self.world.headers(role, fresh=operation.id in ("logout", "change_password"))
        url = sent["url"]
        with_version = operation.versioned and "version" in in_order
        ids = path_ids(self.world, operation.id, role) if with_version or "ids" in in_order else {}
        if "ids" in in_order:
            url = f"http://testserver{operation.path.format(**ids)}"
        if with_version:
            headers["If-Match"] = f'"{version_of(self.world, operation.id, ids)}"'
        order = order_of(operation.id)
        body = {name: sent[name] for name in ("json", "content") if name in sent}
        if "data" in sent:
            body = {"content": sent["data"]}
        if "files" in sent:
            body = form_of(headers, files=sent["files"], data=sent.get("data"))
        in_full = body_for(self.world, operation.id, role) if "body" in in_order else None
        if in_full is not None:
            body = form_of(headers, files=in_full) if order.sent_as == "files" else {"json": in_full}
        params = query_for(self.world, operation.id) if "query" in in_order else sent.get("params")
        headers |= order.headers if "query" in in_order else {}
        answer = self.client.request(operation.method, url, params=params, headers=headers, **body)
        self.answered[operation.id][answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)


def form_of(headers: dict[str, str], **parts: Any) -> dict[str, Any]:
    """The body of a form. Where one part of it ends and the next begins, its header says."""
    form = requests.Request("POST", "http://testserver", **parts).prepare()
    for name in [name for name in headers if name.lower() == "content-type"]:
        del headers[name]
    headers["Content-Type"] = form.headers.get("Content-Type", "multipart/form-data")
    return {"content": form.body}


@pytest.fixture(scope="module")
def contract(installation: Installation, portal: BlockingPortal) -> Contract:
    return Contract(installation, portal)


def fuzz(contract: Contract, operation: Operation, api_operation: Any) -> None:
    callers = [None] if operation.permission == "public" else [None, *ROLES]
    parts = st.frozensets(st.sampled_from(["ids", "version", "body", "query"]))
    modes = [api_operation.as_strategy(generation_mode=mode) for mode in usable_modes(api_operation)]
    slow = operation.id in ("login", "change_password")  # argon2

    @settings(
        max_examples=max(3, EXAMPLES // 4) if slow else EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(*modes), in_order=st.one_of(st.just(frozenset(["ids", "version", "body", "query"])), parts))
    def run(case: Any, in_order: frozenset[str]) -> None:
        for role in callers:
            contract.send(operation, case, role, in_order)

    run()


def usable_modes(api_operation: Any) -> list[GenerationMode]:
    """Wrong requests can only be made of an operation that takes something."""
    takes = list(api_operation.iter_parameters()) or list(api_operation.body)
    return [GenerationMode.POSITIVE, GenerationMode.NEGATIVE] if takes else [GenerationMode.POSITIVE]


def test_every_operation_is_asked(contract: Contract) -> None:
    assert {operation.id for operation, _ in contract.cases()} == set(contract.operations)
    assert set(NEVER) <= set(contract.operations)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_answer_is_one_that_the_document_tells_of(contract: Contract, part: int) -> None:
    contract.world = make_world(contract.installation)  # whatever was booked in another part is not in the way
    asked = set()
    for operation, api_operation in list(contract.cases())[part::PARTS]:
        fuzz(contract, operation, api_operation)
        asked.add(operation.id)
    answered = {name: contract.answered[name] for name in asked}
    cases = sum(sum(statuses.values()) for statuses in answered.values())
    assert cases >= EXAMPLES * len(asked)
    never = {name for name, statuses in answered.items() if not any(200 <= s < 300 for s in statuses)}
    assert never == set(NEVER) & asked
    print(f"{cases} requests")  # noqa: T201 - read with -s
