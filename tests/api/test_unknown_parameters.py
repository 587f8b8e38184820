"""Query parameters that a route does not read are refused, whatever kind of route it is."""

from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import V1, error_code

NOWHERE = "01890000-0000-7000-8000-000000000000"


def list_routes(app: FastAPI, *, public: bool) -> list[tuple[str, str]]:
    """Return method and path of the public routes, or of those that a staff member can call."""
    routes = [(context.original_route, context.path) for context in iter_route_contexts(app.routes)]
    return sorted(
        (method, path)
        for route, path in routes
        if isinstance(route, APIRoute)
        and (permission := (route.openapi_extra or {})["x-permission"]) != "platform"
        and (permission == "public") is public
        for method in route.methods
    )


def send(client: TestClient, practice: PracticeFixture, method: str, path: str, query: dict[str, Any]) -> Any:
    return client.request(method, path, params=query, headers={"Authorization": f"Bearer {practice.token()}"})


def test_no_get_ignores_a_parameter(app: FastAPI, client: TestClient, practice: PracticeFixture) -> None:
    paths = [path for method, path in list_routes(app, public=False) if method == "GET"]
    assert len(paths) > 80
    ignored = []
    for path in paths:
        url = path
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            url = url.replace(f"{{{name}}}", "2026-03-15" if name == "week" else NOWHERE)
        response = send(client, practice, "GET", url, {"nonsense": "1"})
        details = response.json()["error"]["details"] if response.status_code == 422 else []
        if (
            response.status_code != 403
            and {"field": "nonsense", "message": "Unknown field. Leave it out."} not in details
        ):
            ignored.append((path, response.status_code))
    assert ignored == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/note-templates/effective", {"type": "SOAP_NOTE", "service": "NOPE"}),
        ("/settings", {"in": "2026-03-18"}),
        ("/practice", {"expand": "all"}),
    ],
)
def test_a_misspelled_parameter_is_named(
    client: TestClient, practice: PracticeFixture, path: str, query: dict[str, str]
) -> None:
    response = send(client, practice, "GET", V1 + path, query)
    assert (response.status_code, error_code(response)) == (422, "VALIDATION_ERROR"), response.text
    assert [problem["field"] for problem in response.json()["error"]["details"]] == [list(query)[-1]]


def test_no_public_route_ignores_a_parameter(app: FastAPI, client: TestClient) -> None:
    """Each gets the body of its example, so that only the parameter is wrong."""
    document = app.openapi()
    ignored = []
    for method, path in list_routes(app, public=True):
        operation = document["paths"][path][method.lower()]
        body = None
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            [body] = document["components"]["schemas"][schema]["examples"]
        response = client.request(method, path, params={"nonsense": "1"}, json=body)
        details = response.json()["error"]["details"] if response.status_code == 422 else []
        if {"field": "nonsense", "message": "Unknown field. Leave it out."} not in details:
            ignored.append((path, response.status_code, response.text))
    assert ignored == []


def test_known_parameters_are_read(client: TestClient, practice: PracticeFixture) -> None:
    for path, query in (("/note-templates/effective", {"type": "SOAP_NOTE"}), ("/settings", {"on": "2026-03-18"})):
        assert send(client, practice, "GET", V1 + path, query).status_code == 200


def test_a_change_with_a_parameter_does_nothing(client: TestClient, practice: PracticeFixture) -> None:
    headers = {"Authorization": f"Bearer {practice.token()}"}
    body = {"name": f"Room {new_id()}", "capacity": 2}
    refused = client.post(f"{V1}/rooms", params={"dry_run": "true"}, json=body, headers=headers)
    assert (refused.status_code, error_code(refused)) == (422, "VALIDATION_ERROR")
    created = client.post(f"{V1}/rooms", json=body, headers=headers)
    assert created.status_code == 201, created.text
    assert UUID(created.json()["id"])


def test_a_name_that_is_none_is_not_repeated(client: TestClient, practice: PracticeFixture) -> None:
    response = send(client, practice, "GET", f"{V1}/practice", {"casey@example.com": "1"})
    assert [problem["field"] for problem in response.json()["error"]["details"]] == ["?"]
    assert "casey" not in response.text
