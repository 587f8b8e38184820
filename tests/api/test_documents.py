"""Files of a chart over HTTP: what goes in comes out, sealed in between, for those whose chart it is."""

import asyncio
import base64
import hashlib
import json
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.documents import LARGEST_UPLOAD
from practice.errors import NotFound
from practice.people import documents
from practice.people.documents import DocumentExists
from practice.people.rules.documents import LARGEST
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.builders.people import Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.http import V1, bearer, code_of
from tests.support.drivers.sign_in_flow import ok
from tests.support.drivers.waiting import collide

PDF = b"%PDF-1.7 a made-up letter"


@pytest.fixture
def chart(practice: PracticeFixture) -> UUID:
    return make_client(practice)


def send(
    client: TestClient,
    practice: PracticeFixture,
    chart: UUID,
    content: bytes = PDF,
    name: str = "letter.pdf",
    by: Person | None = None,
    **headers: str,
) -> Any:
    files = {"file": (name, content, "text/html")}  # what it is said to be counts for nothing
    return client.post(f"{V1}/clients/{chart}/documents", files=files, headers=bearer(practice, by, **headers))


def listed(
    client: TestClient, practice: PracticeFixture, chart: UUID, by: Person | None = None, **query: Any
) -> list[Any]:
    url = f"{V1}/clients/{chart}/documents"
    return ok(client.get(url, params=query, headers=bearer(practice, by)))["items"]


def test_a_file_comes_out_as_it_went_in(client: TestClient, practice: PracticeFixture, chart: UUID) -> None:
    sent = send(client, practice, chart, name="Überweisung 3; new.pdf")
    assert sent.status_code == 201, sent.text
    document = sent.json()
    assert (document["media_type"], document["size"], document["name"]) == (
        *("application/pdf", len(PDF)),
        "Überweisung 3; new.pdf",
    )
    assert document["sha256"] == hashlib.sha256(PDF).hexdigest()
    url = f"{V1}/clients/{chart}/documents/{document['id']}"
    assert ok(client.get(url, headers=bearer(practice))) == document
    file = client.get(f"{url}/content", headers=bearer(practice))
    assert (file.status_code, file.content) == (200, PDF)
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Cache-Control"] == "no-store"
    kind, _, name = file.headers["Content-Disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(name)) == ("attachment", "Überweisung 3; new.pdf")
    assert ";" not in name


def test_a_file_stands_sealed_in_the_database(client: TestClient, practice: PracticeFixture, chart: UUID) -> None:
    send(client, practice, chart)
    with practice.installation.store.session_in(practice.id) as db:
        kept = db.scalar(text("select content from documents where client_id = :id"), {"id": chart})
    assert b"made-up" not in kept
    assert b"JVBERi0" not in kept  # %PDF- in base64


def test_large_files_come_through_and_larger_ones_do_not(
    client: TestClient, practice: PracticeFixture, chart: UUID
) -> None:
    largest = b"x" * LARGEST
    document = send(client, practice, chart, largest, "large.txt").json()
    url = f"{V1}/clients/{chart}/documents/{document['id']}/content"
    assert client.get(url, headers=bearer(practice)).content == largest
    answer = send(client, practice, chart, largest + b"x")
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_ERROR")
    answer = send(client, practice, chart, b"x" * LARGEST_UPLOAD)
    assert (answer.status_code, code_of(answer)) == (413, "TOO_LARGE")
    elsewhere = client.post(f"{V1}/staff", content=b" " * 1_000_001, headers=bearer(practice))
    assert (elsewhere.status_code, code_of(elsewhere)) == (413, "TOO_LARGE")


def test_a_file_is_not_put_down_unsealed_on_the_way(
    client: TestClient, practice: PracticeFixture, chart: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_down: list[Any] = []
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", put_down.append)
    assert send(client, practice, chart, b"x" * LARGEST).status_code == 201
    assert put_down == []


@pytest.mark.parametrize("token", ["none", "expired", "of another installation"])
def test_of_a_stranger_nothing_is_read(
    client: TestClient, practice: PracticeFixture, chart: UUID, own_installation: Installation, token: str
) -> None:
    past = practice.now - timedelta(hours=1)
    given = {"expired": practice.token(now=past), "of another installation": make_practice(own_installation).token()}
    sent = [("authorization", f"Bearer {given[token]}")] if token in given else []
    answers: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was asked for")

    async def answer(message: Any) -> None:
        answers.append(message)

    path = f"{V1}/clients/{chart}/documents"
    headers = [("content-type", "multipart/form-data; boundary=x"), ("content-length", str(LARGEST)), *sent]
    scope = {
        **{"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path},
        **{"raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1)},
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    asyncio.run(client.app(scope, receive, answer))  # ty: ignore[invalid-argument-type]
    refused = client.post(path, headers=dict(sent))
    assert (refused.status_code, code_of(refused)) == (401, "UNAUTHORIZED")
    assert answers[0]["status"] == 401
    shown = json.loads(answers[1]["body"])["error"]
    assert (shown["code"], shown["message"]) == ("UNAUTHORIZED", refused.json()["error"]["message"])
    assert (b"www-authenticate", b"Bearer") in answers[0]["headers"]


@pytest.mark.parametrize(
    ("content", "name"), [(b"", "empty.txt"), (b"\x7fELF\0", "letter.pdf"), (b"GIF89a\0", "a.png")]
)
def test_what_a_chart_does_not_take_is_refused(
    client: TestClient, practice: PracticeFixture, chart: UUID, content: bytes, name: str
) -> None:
    answer = send(client, practice, chart, content, name)
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_ERROR")
    assert listed(client, practice, chart) == []


def test_a_request_without_a_file_is_refused_with_a_sentence(
    client: TestClient, practice: PracticeFixture, chart: UUID
) -> None:
    url = f"{V1}/clients/{chart}/documents"
    for body in ({"json": {"file": "x"}}, {"data": {"file": "x"}}, {"files": {"other": ("a.txt", b"a")}}, {}):
        answer = client.post(url, headers=bearer(practice), **body)
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_ERROR"), body
    broken = {"Content-Type": "multipart/form-data"}
    answer = client.post(url, content=b"no boundary", headers=bearer(practice) | broken)
    assert (answer.status_code, code_of(answer)) == (400, "BAD_REQUEST")


def test_a_chart_holds_a_file_once_until_it_is_voided(
    client: TestClient, practice: PracticeFixture, chart: UUID
) -> None:
    first = send(client, practice, chart).json()
    again = send(client, practice, chart, name="other.pdf")
    assert (again.status_code, code_of(again)) == (409, "DOCUMENT_EXISTS")
    assert send(client, practice, make_client(practice)).status_code == 201  # another's chart is another's
    url = f"{V1}/clients/{chart}/documents/{first['id']}"
    assert client.delete(url, headers=bearer(practice)).status_code == 422  # without a reason
    gone = client.delete(url, params={"reason": "Another person's letter"}, headers=bearer(practice))
    assert gone.status_code == 204
    for path in (url, f"{url}/content"):
        assert client.get(path, headers=bearer(practice)).status_code == 404
    assert client.delete(url, params={"reason": "Again"}, headers=bearer(practice)).status_code == 404
    assert listed(client, practice, chart) == []
    (voided,) = listed(client, practice, chart, voided=True)
    assert (voided["id"], voided["void_reason"]) == (first["id"], "Another person's letter")
    assert send(client, practice, chart).status_code == 201


def test_of_two_who_send_the_same_file_at_once_the_second_waits_for_the_first(
    practice: PracticeFixture, chart: UUID
) -> None:
    def send_one(work: Work) -> Any:
        return documents.add_document(work, Scope.ALL, chart, "a.pdf", PDF)

    assert isinstance(collide(practice, send_one, send_one).exception(), DocumentExists)


def test_of_two_who_void_a_document_at_once_the_second_finds_it_gone(practice: PracticeFixture, chart: UUID) -> None:
    with practice.work() as work:
        sent = documents.add_document(work, Scope.ALL, chart, "a.pdf", PDF).id
    reasons = ("Filed twice", "Another person's letter")
    first, second = (
        lambda work, reason=reason: documents.void_document(work, Scope.ALL, chart, sent, reason) for reason in reasons
    )
    assert isinstance(collide(practice, first, second).exception(), NotFound)


def test_names_of_files_do_not_go_into_addresses(client: TestClient, practice: PracticeFixture, chart: UUID) -> None:
    """And the next page follows, also when what stood at the end of the last one was voided meanwhile."""
    for name in ("b of Casey.pdf", "a of Casey.pdf", "c of Casey.pdf"):
        send(client, practice, chart, PDF + name.encode(), name)
    url, query = f"{V1}/clients/{chart}/documents", {"sort": "name", "limit": 1}
    page = ok(client.get(url, params=query, headers=bearer(practice)))
    (first,) = page["items"]
    assert base64.urlsafe_b64decode(page["next_cursor"] + "==").decode() == f'["name", "{first["id"]}"]'
    client.delete(f"{url}/{first['id']}", params={"reason": "Filed twice"}, headers=bearer(practice))
    rest = ok(client.get(url, params=query | {"limit": 9, "cursor": page["next_cursor"]}, headers=bearer(practice)))
    assert [item["name"] for item in rest["items"]] == ["b of Casey.pdf", "c of Casey.pdf"]


def test_a_repeated_upload_is_answered_as_the_first_was(
    client: TestClient, practice: PracticeFixture, chart: UUID
) -> None:
    key = str(uuid4())
    first = send(client, practice, chart, Idempotency_Key=key)
    again = send(client, practice, chart, Idempotency_Key=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    for other in ({"content": PDF[:-1] + b"!"}, {"name": "other.pdf"}):
        answer = send(client, practice, chart, Idempotency_Key=key, **other)
        assert (answer.status_code, code_of(answer)) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_whose_chart_it_is_decides(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    own, other = practice.add("clinician", supervisor=supervisor), practice.add("clinician")
    patient = make_portal_client(practice, own)
    sent = send(client, practice, patient.staff_id, by=own)
    assert sent.status_code == 201
    assert send(client, practice, patient.staff_id, PDF + b"2", by=supervisor).status_code == 201
    for stranger in (other, make_portal_client(practice, other)):
        assert (
            client.get(f"{V1}/clients/{patient.staff_id}/documents", headers=bearer(practice, stranger)).status_code
            == 404
        )
        url = f"{V1}/clients/{patient.staff_id}/documents/{sent.json()['id']}/content"
        assert client.get(url, headers=bearer(practice, stranger)).status_code == 404
    assert send(client, practice, patient.staff_id, b"x", by=other).status_code == 404
    assert send(client, practice, patient.staff_id, b"x", by=patient).status_code == 403
    assert len(listed(client, practice, patient.staff_id, patient)) == 2
    # a document is found in its own chart only
    misplaced = f"{V1}/clients/{make_client(practice)}/documents/{sent.json()['id']}"
    assert client.get(misplaced, headers=bearer(practice)).status_code == 404


def test_a_client_does_not_see_what_was_voided_in_their_chart(client: TestClient, practice: PracticeFixture) -> None:
    patient = make_portal_client(practice)
    document = send(client, practice, patient.staff_id).json()
    url = f"{V1}/clients/{patient.staff_id}/documents/{document['id']}"
    client.delete(url, params={"reason": "Wrong chart"}, headers=bearer(practice))
    assert listed(client, practice, patient.staff_id, patient, voided=True) == []
    assert len(listed(client, practice, patient.staff_id, voided=True)) == 1


def test_everything_is_on_the_audit_trail(client: TestClient, practice: PracticeFixture, chart: UUID) -> None:
    document = send(client, practice, chart, name="secret name.pdf").json()
    url = f"{V1}/clients/{chart}/documents/{document['id']}"
    for path in (f"{V1}/clients/{chart}/documents", url, f"{url}/content"):
        client.get(path, headers=bearer(practice))
    client.delete(url, params={"reason": "Filed twice"}, headers=bearer(practice))
    found = ok(client.get(f"{V1}/audit", params={"subject_id": str(chart), "sort": "seq"}, headers=bearer(practice)))
    actions = [entry["action"] for entry in found["items"]]
    assert actions == ["document.added", "client.read", "document.read", "document.taken_out", "document.voided"]
    assert "secret name" not in str(found)
