"""Responses of a running server: request ids, the error envelope, no echo of input, compression, caching."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture, make_platform_admin, sign_in
from tests.support.drivers.http import V1, token_headers
from tests.support.drivers.server import Server

SECRET = "Hunter2-in-the-wrong-field"


@pytest.fixture(scope="module")
def practice(server: Server) -> PracticeFixture:
    return server.create_practice()


@pytest.fixture
def headers(practice: PracticeFixture) -> dict[str, str]:
    return token_headers(practice.token(now=datetime.now(UTC)))


def find_log_line(server: Server, request_id: str) -> dict[str, Any]:
    """Return the log line of a request, which is written after its response is sent."""
    for _ in range(100):
        lines = [line for line in server.read_log_lines() if line.get("request_id") == request_id]
        if lines:
            assert len(lines) == 1
            return lines[0]
        time.sleep(0.05)
    raise AssertionError(f"no log line of request {request_id}")


def test_the_request_id_comes_back_and_is_in_the_log(
    server: Server, http: httpx2.Client, practice: PracticeFixture, headers: dict[str, str]
) -> None:
    request_id = str(new_id())
    answer = http.get(f"{V1}/auth/me", headers=headers | {"X-Request-ID": request_id})
    assert answer.headers["X-Request-ID"] == request_id
    line = find_log_line(server, request_id)
    assert (line["status"], line["method"]) == (200, "GET")
    assert (line["practice"], line["account"]) == (str(practice.id), str(practice.admin.account_id))
    generated = http.get(f"{V1}/nowhere").headers["X-Request-ID"]
    assert find_log_line(server, generated)["status"] == 404


@pytest.mark.parametrize(
    "request_id", ["", "short", "x" * 65, "two\tparts-of-it", 'a"quoted"thing', "ünderstood", "-" * 12]
)
def test_an_unsafe_request_id_is_replaced(http: httpx2.Client, request_id: str) -> None:
    answer = http.get("/health/live", headers={"X-Request-ID": request_id.encode()})
    assert answer.headers.get_list("X-Request-ID") != [request_id]
    assert len(answer.headers["X-Request-ID"]) == 36


def check_envelope(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    error = body["error"]
    assert set(error) == {"code", "message", "details", "timestamp", "path", "request_id"}
    assert error["code"] == code
    assert error["message"].endswith(".")
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert error["path"] == answer.request.url.path
    assert abs((datetime.now(UTC) - datetime.fromisoformat(error["timestamp"])).total_seconds()) < 60
    return error


JSON = {"Content-Type": "application/json"}


def test_every_kind_of_refusal_has_one_shape(
    http: httpx2.Client, practice: PracticeFixture, headers: dict[str, str]
) -> None:
    def send(method: str, path: str, extra: dict[str, str] | None = None, **options: Any) -> httpx2.Response:
        return http.request(method, V1 + path, headers=headers | (extra or {}), **options)

    biller = token_headers(practice.token(practice.add("biller"), datetime.now(UTC)))
    me = f"/staff/{practice.admin.staff_id}"
    check_envelope(send("POST", "/staff", JSON, content=b'{"a": "\xff"}'), 400, "BAD_REQUEST")
    check_envelope(send("POST", "/staff", JSON, content=b"[" * 100_000), 400, "BAD_REQUEST")
    assert check_envelope(http.get(f"{V1}/auth/me"), 401, "UNAUTHORIZED")["details"] == {}
    check_envelope(http.get(f"{V1}/audit", headers=biller), 403, "FORBIDDEN")
    check_envelope(send("GET", f"/staff/{new_id()}"), 404, "NOT_FOUND")
    check_envelope(send("GET", "/nowhere"), 404, "NOT_FOUND")
    check_envelope(send("GET", "/staff/"), 404, "NOT_FOUND")
    check_envelope(http.get("/api"), 404, "NOT_FOUND")
    for path in ("/services/%00", "/services/A%0aB", "/settings/%00/", "%00"):
        check_envelope(send("GET", path), 404, "NOT_FOUND")
    assert "GET" in send("PUT", me).headers["Allow"]
    check_envelope(send("PUT", me), 405, "METHOD_NOT_ALLOWED")
    check_envelope(send("PATCH", me, {"If-Match": '"1"'}, json={"roles": ["biller"]}), 409, "LAST_ADMIN")
    check_envelope(send("PATCH", me, {"If-Match": '"7"'}, json={}), 412, "STALE")
    check_envelope(send("PATCH", me, json={}), 428, "PRECONDITION_REQUIRED")
    check_envelope(send("POST", "/staff", json={"email": "x" * 1_000_001}), 413, "TOO_LARGE")
    check_envelope(send("POST", "/staff", JSON, content=b"{not json"), 422, "VALIDATION_ERROR")
    check_envelope(send("POST", "/staff", {"Content-Type": "text/plain"}, content=b"{}"), 422, "VALIDATION_ERROR")
    fields = check_envelope(send("POST", "/staff", json={"email": 1, "more": 2}), 422, "VALIDATION_ERROR")["details"]
    assert {entry["field"] for entry in fields} == {*("email", "first_name", "last_name", "roles", "hired_on", "more")}


def test_a_chunked_body_above_the_limit_is_refused(http: httpx2.Client, headers: dict[str, str]) -> None:
    answer = http.post(f"{V1}/staff", content=(b" " * 50_000 for _ in range(30)), headers=headers | JSON)
    check_envelope(answer, 413, "TOO_LARGE")
    largest = json.dumps({"email": "x" * 990_000})
    assert http.post(f"{V1}/staff", content=largest, headers=headers | JSON).status_code == 422


def fill_schema(schema: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """Return a body with the secret in every field of the schema, at any depth."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return {
        name: fill_schema(field, spec) if "$ref" in field else [SECRET] if field.get("type") == "array" else SECRET
        for name, field in schema.get("properties", {}).items()
    } | {"undeclared": SECRET}


def test_no_error_repeats_input_of_an_invalid_field(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    spec = http.get(f"{V1}/openapi.json").json()
    tried = 0
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            headers = token_headers(
                practice.token(now=datetime.now(UTC))
            )  # a new session each time, because one operation logs out
            content = operation.get("requestBody", {}).get("content", {})
            schemas = [entry["schema"] for entry in content.values()]
            url = path.replace("{", "").replace("}", "") if "_id}" not in path else path.format_map(AnyId())
            for body in [fill_schema(schema, spec) for schema in schemas]:
                variants = [body, {"undeclared": SECRET}, [SECRET], SECRET, {name: [body] for name in body}]
                variants += [body | {"undeclared": [SECRET]} | {name: SECRET} for name in body]
                for variant in variants:
                    extra = {"If-Match": SECRET, "Idempotency-Key": f"{new_id()}"}
                    answer = http.request(method, url, json=variant, headers=headers | extra)
                    assert 400 <= answer.status_code < 500
                    assert SECRET not in answer.text, (method, path)
                    tried += 1
            query = {parameter["name"]: SECRET for parameter in operation.get("parameters", ())}
            answer = http.request(method, url, params=query, headers=headers)
            assert SECRET not in answer.text, (method, path)
    assert tried > 50
    assert SECRET not in server.output.read_text()


class AnyId(dict[str, str]):
    """A mapping that returns a new id for every path parameter."""

    def __missing__(self, name: str) -> str:
        return str(new_id())


def test_no_error_of_a_business_rule_repeats_input(
    server: Server, http: httpx2.Client, headers: dict[str, str]
) -> None:
    """Refusals by rules that run after the schema was validated."""
    platform = make_platform_admin(server.installation)
    platform_headers = token_headers(
        sign_in(server.installation, platform.account_id, platform.staff_id, datetime.now(UTC)).access
    )
    admin = {"email": "a@example.com", "first_name": "A", "last_name": "B"}
    body = {"name": f"Practice {new_id()}", "time_zone": SECRET, "admin": admin}
    answers = [http.post(f"{V1}/practices", json=body, headers=platform_headers)]
    answers += [
        http.get(f"{V1}/staff", params={name: SECRET}, headers=headers) for name in ("fields", "sort", "cursor")
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert SECRET not in answer.text
    body = {"email": "a@example.com", "first_name": "A", "last_name": "B", "roles": ["biller"]}
    for wrong in ({"npi": "1234567890"}, {"supervisor_id": str(new_id())}):
        answer = http.post(f"{V1}/staff", json=body | {"hired_on": "2026-01-01"} | wrong, headers=headers)
        assert answer.status_code == 422
        assert next(iter(wrong.values())) not in answer.text


def test_long_responses_are_compressed(http: httpx2.Client, practice: PracticeFixture, headers: dict[str, str]) -> None:
    spec = http.get(f"{V1}/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert spec.headers["Content-Encoding"] == "gzip"
    assert spec.json()["info"]["title"] == "Caseload"
    plain = http.get(f"{V1}/openapi.json", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert int(spec.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 4


def test_responses_are_not_cached(http: httpx2.Client, headers: dict[str, str]) -> None:
    assert http.get(f"{V1}/auth/me", headers=headers).headers["Cache-Control"] == "no-store"


def test_unknown_methods_and_paths_do_not_appear_in_metrics(http: httpx2.Client) -> None:
    for number in range(30):
        http.request(f"UNKNOWN{number}", f"/nowhere/{number}")
    metrics = "".join(http.get("/metrics").text for _ in range(5))
    assert "caseload_requests_total" in metrics
    assert "UNKNOWN" not in metrics
    assert "nowhere" not in metrics
