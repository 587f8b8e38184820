"""Documents over HTTP: upload, download, sealing, access, voiding."""

import base64
import hashlib
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.documents import MAX_UPLOAD_BYTES
from practice.errors import NotFound
from practice.people import documents
from practice.people.documents import DocumentExists
from practice.people.rules.documents import MAX_BYTES
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, void
from tests.support.drivers.waiting import collide

PDF = b"%PDF-1.7 a made-up letter"


@pytest.fixture
def client_id(practice: PracticeFixture) -> UUID:
    return make_client(practice)


def upload(
    client: TestClient,
    practice: PracticeFixture,
    client_id: UUID,
    content: bytes = PDF,
    name: str = "letter.pdf",
    by: Person | None = None,
    kind: str = "OTHER",
    **headers: str,
) -> Any:
    files = {"file": (name, content, "text/html")}  # the declared type is ignored
    return client.post(
        f"{V1}/clients/{client_id}/documents",
        files=files,
        data={"kind": kind},
        headers=auth_headers(practice, by, **headers),
    )


def list_documents(
    client: TestClient, practice: PracticeFixture, client_id: UUID, by: Person | None = None, **query: Any
) -> list[Any]:
    url = f"{V1}/clients/{client_id}/documents"
    return assert_ok(client.get(url, params=query, headers=auth_headers(practice, by)))["items"]


def test_a_file_is_downloaded_as_uploaded(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    response = upload(client, practice, client_id, name="Überweisung 3; new.pdf")
    assert response.status_code == 201, response.text
    document = response.json()
    assert (document["media_type"], document["size"], document["name"]) == (
        *("application/pdf", len(PDF)),
        "Überweisung 3; new.pdf",
    )
    assert document["sha256"] == hashlib.sha256(PDF).hexdigest()
    url = f"{V1}/clients/{client_id}/documents/{document['id']}"
    assert assert_ok(client.get(url, headers=auth_headers(practice))) == document
    file = client.get(f"{url}/content", headers=auth_headers(practice))
    assert (file.status_code, file.content) == (200, PDF)
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Cache-Control"] == "no-store"
    kind, _, name = file.headers["Content-Disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(name)) == ("attachment", "Überweisung 3; new.pdf")
    assert ";" not in name


def test_a_file_is_sealed_in_the_database(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    upload(client, practice, client_id)
    with practice.installation.store.begin_session(practice.id) as db:
        stored = db.scalar(text("select content from documents where client_id = :id"), {"id": client_id})
    assert b"made-up" not in stored
    assert b"JVBERi0" not in stored  # %PDF- in base64


def test_files_up_to_the_limit_are_accepted(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    largest = b"x" * MAX_BYTES
    document = upload(client, practice, client_id, largest, "large.txt").json()
    url = f"{V1}/clients/{client_id}/documents/{document['id']}/content"
    assert client.get(url, headers=auth_headers(practice)).content == largest
    answer = upload(client, practice, client_id, largest + b"x")
    assert (answer.status_code, error_code(answer)) == (422, "VALIDATION_ERROR")
    answer = upload(client, practice, client_id, b"x" * MAX_UPLOAD_BYTES)
    assert (answer.status_code, error_code(answer)) == (413, "TOO_LARGE")
    other_response = client.post(f"{V1}/staff", content=b" " * 1_000_001, headers=auth_headers(practice))
    assert (other_response.status_code, error_code(other_response)) == (413, "TOO_LARGE")


def test_an_upload_is_never_written_to_disk_unsealed(
    client: TestClient, practice: PracticeFixture, client_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollovers: list[Any] = []
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", rollovers.append)
    assert upload(client, practice, client_id, b"x" * MAX_BYTES).status_code == 201
    assert rollovers == []


@pytest.mark.parametrize(
    ("content", "name"), [(b"", "empty.txt"), (b"\x7fELF\0", "letter.pdf"), (b"GIF89a\0", "a.png")]
)
def test_an_unsupported_file_is_refused(
    client: TestClient, practice: PracticeFixture, client_id: UUID, content: bytes, name: str
) -> None:
    answer = upload(client, practice, client_id, content, name)
    assert (answer.status_code, error_code(answer)) == (422, "VALIDATION_ERROR")
    assert list_documents(client, practice, client_id) == []


def test_a_request_without_a_file_is_refused(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    url = f"{V1}/clients/{client_id}/documents"
    file = {"file": ("a.txt", b"a")}
    for body in (
        *({"json": {"file": "x"}}, {"data": {"file": "x", "kind": "OTHER"}}, {"files": {"other": file["file"]}}, {}),
        *({"files": file}, {"files": file, "data": {"kind": "SECRET"}}),
    ):
        answer = client.post(url, headers=auth_headers(practice), **body)
        assert (answer.status_code, error_code(answer)) == (422, "VALIDATION_ERROR"), body
    broken = {"Content-Type": "multipart/form-data"}
    answer = client.post(url, content=b"no boundary", headers=auth_headers(practice) | broken)
    assert (answer.status_code, error_code(answer)) == (400, "BAD_REQUEST")


def test_a_chart_has_a_file_once_until_it_is_voided(
    client: TestClient, practice: PracticeFixture, client_id: UUID
) -> None:
    first = upload(client, practice, client_id).json()
    repeated = upload(client, practice, client_id, name="other.pdf")
    assert (repeated.status_code, error_code(repeated)) == (409, "DOCUMENT_EXISTS")
    assert upload(client, practice, make_client(practice)).status_code == 201  # other charts are independent
    url = f"{V1}/clients/{client_id}/documents/{first['id']}"
    assert client.delete(url, headers=auth_headers(practice)).status_code == 422  # without a reason
    voided_response = void(client, url, auth_headers(practice), "Another person's letter")
    assert voided_response.status_code == 204
    for path in (url, f"{url}/content"):
        assert client.get(path, headers=auth_headers(practice)).status_code == 404
    assert void(client, url, auth_headers(practice)).status_code == 404
    assert list_documents(client, practice, client_id) == []
    (voided,) = list_documents(client, practice, client_id, voided=True)
    assert (voided["id"], voided["void_reason"]) == (first["id"], "Another person's letter")
    assert upload(client, practice, client_id).status_code == 201


def test_concurrent_uploads_of_a_file_add_it_once(practice: PracticeFixture, client_id: UUID) -> None:
    def add(work: Work) -> Any:
        return documents.add_document(work, Scope.ALL, client_id, "OTHER", "a.pdf", PDF)

    assert isinstance(collide(practice, add, add).exception(), DocumentExists)


def test_concurrent_voids_of_a_document_succeed_once(practice: PracticeFixture, client_id: UUID) -> None:
    with practice.work() as work:
        response = documents.add_document(work, Scope.ALL, client_id, "OTHER", "a.pdf", PDF).id
    reasons = ("Filed twice", "Another person's letter")
    first, second = (
        lambda work, reason=reason: documents.void_document(work, Scope.ALL, client_id, response, reason)
        for reason in reasons
    )
    assert isinstance(collide(practice, first, second).exception(), NotFound)


def test_file_names_are_not_in_cursors(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    """The next page follows even if the last document of the previous one was voided in between."""
    for name in ("b of Casey.pdf", "a of Casey.pdf", "c of Casey.pdf"):
        upload(client, practice, client_id, PDF + name.encode(), name)
    url, query = f"{V1}/clients/{client_id}/documents", {"sort": "name", "limit": 1}
    page = assert_ok(client.get(url, params=query, headers=auth_headers(practice)))
    (first,) = page["items"]
    assert base64.urlsafe_b64decode(page["next_cursor"] + "==").decode() == f'["name", "{first["id"]}"]'
    void(client, f"{url}/{first['id']}", auth_headers(practice))
    rest = assert_ok(
        client.get(url, params=query | {"limit": 9, "cursor": page["next_cursor"]}, headers=auth_headers(practice))
    )
    assert [item["name"] for item in rest["items"]] == ["b of Casey.pdf", "c of Casey.pdf"]


def test_a_repeated_upload_gets_the_first_response(
    client: TestClient, practice: PracticeFixture, client_id: UUID
) -> None:
    key = str(uuid4())
    first = upload(client, practice, client_id, Idempotency_Key=key)
    repeated = upload(client, practice, client_id, Idempotency_Key=key)
    assert (repeated.status_code, repeated.content) == (201, first.content)
    assert repeated.headers["Idempotency-Replayed"] == "true"
    for other in ({"content": PDF[:-1] + b"!"}, {"name": "other.pdf"}, {"kind": "INSURANCE"}):
        answer = upload(client, practice, client_id, Idempotency_Key=key, **other)
        assert (answer.status_code, error_code(answer)) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_documents_are_visible_to_those_who_see_the_client(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    own, other = practice.add("clinician", supervisor=supervisor), practice.add("clinician")
    patient = make_portal_client(practice, own)
    response = upload(client, practice, patient.staff_id, by=own)
    assert response.status_code == 201
    assert upload(client, practice, patient.staff_id, PDF + b"2", by=supervisor).status_code == 201
    for stranger in (other, make_portal_client(practice, other)):
        assert (
            client.get(
                f"{V1}/clients/{patient.staff_id}/documents", headers=auth_headers(practice, stranger)
            ).status_code
            == 404
        )
        url = f"{V1}/clients/{patient.staff_id}/documents/{response.json()['id']}/content"
        assert client.get(url, headers=auth_headers(practice, stranger)).status_code == 404
    assert upload(client, practice, patient.staff_id, b"x", by=other).status_code == 404
    assert upload(client, practice, patient.staff_id, b"x", by=patient).status_code == 403
    assert len(list_documents(client, practice, patient.staff_id, patient)) == 2
    # a document is found in its own chart only
    misplaced = f"{V1}/clients/{make_client(practice)}/documents/{response.json()['id']}"
    assert client.get(misplaced, headers=auth_headers(practice)).status_code == 404


def change_kind(
    client: TestClient, practice: PracticeFixture, document: dict[str, Any], kind: str, by: Person | None = None
) -> Any:
    url = f"{V1}/clients/{document['client_id']}/documents/{document['id']}"
    headers = auth_headers(practice, by, If_Match=f'"{document["version"]}"')
    return client.patch(url, json={"kind": kind}, headers=headers)


def test_clinical_documents_are_closed_to_the_desk_and_to_billing(
    client: TestClient, practice: PracticeFixture
) -> None:
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    patient = make_portal_client(practice, clinician)
    chart = patient.staff_id
    report = upload(client, practice, chart, by=clinician, kind="CLINICAL").json()
    card = upload(client, practice, chart, PDF + b"card", by=practice.add("scheduler"), kind="INSURANCE").json()
    assert (report["kind"], card["kind"]) == ("CLINICAL", "INSURANCE")
    url = f"{V1}/clients/{chart}/documents/{report['id']}"
    for closed in (practice.add("scheduler"), practice.add("biller"), practice.add("biller", "clinician")):
        assert [item["id"] for item in list_documents(client, practice, chart, closed)] == [card["id"]]
        assert list_documents(client, practice, chart, closed, kind="CLINICAL") == []
        for path in (url, f"{url}/content"):
            assert client.get(path, headers=auth_headers(practice, closed)).status_code == 404
        timeline = client.get(f"{V1}/clients/{chart}/timeline", headers=auth_headers(practice, closed))
        listed = [item["id"] for item in assert_ok(timeline)["items"] if item["kind"] == "document"]
        assert listed == [card["id"]]
    for reader in (clinician, supervisor, practice.admin, patient):
        assert len(list_documents(client, practice, chart, reader)) == 2
        assert client.get(f"{url}/content", headers=auth_headers(practice, reader)).content == PDF
    scheduler = practice.add("scheduler")
    for answer in (
        upload(client, practice, chart, b"A report", by=scheduler, kind="CLINICAL"),
        change_kind(client, practice, card, "CLINICAL", scheduler),
    ):
        assert (answer.status_code, error_code(answer)) == (403, "FORBIDDEN")
    assert void(client, url, auth_headers(practice, scheduler)).status_code == 404
    # the same file can be filed by the front desk, which must not learn that the chart has it
    assert upload(client, practice, chart, by=scheduler).status_code == 201


def test_a_document_is_filed_under_another_kind(client: TestClient, practice: PracticeFixture) -> None:
    clinician, scheduler = practice.add("clinician"), practice.add("scheduler")
    chart = make_client(practice, clinician)
    document = upload(client, practice, chart, by=clinician, kind="CLINICAL").json()
    assert error_code(change_kind(client, practice, document, "INSURANCE", scheduler)) == "NOT_FOUND"
    changed = change_kind(client, practice, document, "INSURANCE", clinician)
    assert (changed.status_code, changed.json()["kind"], changed.json()["version"]) == (200, "INSURANCE", 2)
    assert [item["id"] for item in list_documents(client, practice, chart, scheduler)] == [document["id"]]
    assert error_code(change_kind(client, practice, document, "OTHER", clinician)) == "STALE"
    entries = client.get(f"{V1}/audit", params={"action": "document.changed"}, headers=auth_headers(practice))
    assert [entry["details"]["kind"] for entry in entries.json()["items"]] == ["INSURANCE"]


def test_a_client_does_not_see_voided_documents(client: TestClient, practice: PracticeFixture) -> None:
    patient = make_portal_client(practice)
    document = upload(client, practice, patient.staff_id).json()
    url = f"{V1}/clients/{patient.staff_id}/documents/{document['id']}"
    void(client, url, auth_headers(practice))
    assert list_documents(client, practice, patient.staff_id, patient, voided=True) == []
    assert len(list_documents(client, practice, patient.staff_id, voided=True)) == 1


def test_every_access_is_audited(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    document = upload(client, practice, client_id, name="secret name.pdf").json()
    url = f"{V1}/clients/{client_id}/documents/{document['id']}"
    for path in (f"{V1}/clients/{client_id}/documents", url, f"{url}/content"):
        client.get(path, headers=auth_headers(practice))
    void(client, url, auth_headers(practice))
    entries = assert_ok(
        client.get(f"{V1}/audit", params={"subject_id": str(client_id), "sort": "seq"}, headers=auth_headers(practice))
    )
    actions = [entry["action"] for entry in entries["items"]]
    assert actions == ["document.added", "client.read", "document.read", "document.downloaded", "document.voided"]
    assert "secret name" not in str(entries)
