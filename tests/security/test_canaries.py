"""Words planted through the real service are nowhere to be read: sealed ones on no disk, personal ones in no log."""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyotp
import pytest

from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.store.ids import NOBODY
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.people import make_platform_admin, make_practice, sign_in
from tests.support.builders.schedule import make_appointment, make_client, make_service
from tests.support.harness.installations import installation_in, short_folder
from tests.support.oracles.canaries import files_in, hits

REPOSITORY = Path(__file__).parents[2]
WORD = secrets.token_hex(6)  # new in each run, so that no leftover can be found


@dataclass
class Service:
    """The API as a process of its own, with what it says in a file."""

    url: str
    log: Path
    statuses: list[int] = field(default_factory=list)

    def __call__(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers |= {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, content = error.code, error.read()
        self.statuses.append(status)
        return status, json.loads(content) if content else None


@dataclass
class Planted:
    data: Path
    logs: list[Path]
    statuses: list[int]
    sealed: dict[str, str | bytes]
    """What may stand in no file at all: encrypted fields, passwords, tokens, secrets."""
    personal: dict[str, str | bytes]
    """What stands in the tables, and may stand in no log."""


@pytest.fixture(scope="module")
def planted() -> Generator[Planted]:
    master = MasterKey.generate()
    with short_folder() as folder, installation_in(folder / "data", master) as installation:
        service, process = start(folder, master)
        try:
            sealed, personal = plant(installation, service)
        finally:
            process.terminate()
            process.wait(timeout=30)
        assert installation.store.embedded is not None
        with psycopg.connect(**installation.store.embedded.conninfo("superuser"), autocommit=True) as connection:
            connection.execute("checkpoint")
        logs = [service.log, *files_in(folder / "data" / "log")]
        yield Planted(folder / "data", logs, service.statuses, sealed, personal)


def start(folder: Path, master: MasterKey) -> tuple[Service, subprocess.Popen[bytes]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        environment = os.environ | {
            "CASELOAD_DATA_DIR": str(folder / "data"),
            "CASELOAD_MASTER_KEY": master.to_text(),
            "CASELOAD_OUTBOX_DIR": str(folder / "outbox"),  # letters carry what they must, and are no log
            "CASELOAD_SIGN_INS_PER_MINUTE": "1000",
            "PYTHONPATH": str(REPOSITORY),
        }
        command = ["uvicorn", "tests.support.drivers.leaky_routes:noisy", "--factory", "--fd", str(listener.fileno())]
        with (folder / "api.middleware").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command, "--no-access-log", "--log-level", "warning"],
                stdout=log,
                stderr=log,
                env=environment,
                cwd=folder,
                pass_fds=[listener.fileno()],
            )
    return Service(f"http://127.0.0.1:{port}", folder / "api.middleware"), process


def plant(installation: Installation, call: Service) -> tuple[dict[str, str | bytes], dict[str, str | bytes]]:
    now = datetime.now(UTC)
    platform = sign_in(installation, make_platform_admin(installation).account_id, NOBODY, now).access
    kinds = ("practice", "first", "last", "email", "garbage", "query", "path", "header", "raised", "colleague")
    words = {name: f"Q{name}{WORD}" for name in kinds}
    sealed: dict[str, str | bytes] = {"tax id": f"58-{WORD}", "other tax id": f"59-{WORD}", "platform": platform}
    sealed |= {
        "password": f"Zebra-Kumquat 88 dances {WORD}",
        "wrong password": f"Zebra-Kumquat 99 sleeps {WORD}",
        "weak": f"{WORD[:7]}",
    }
    email = f"{words['email']}@example.com".lower()
    words["email"] = email
    key = {"Idempotency_Key": f"key-{WORD}"}

    # A practice, its tax id; answered again from what was stored; refused for its name, which is taken
    admin = {"email": email, "first_name": words["first"], "last_name": words["last"]}
    new = {"name": words["practice"], "time_zone": "UTC", "tax_id": sealed["tax id"], "admin": admin}
    status, made = call("POST", "/api/v1/practices", new, platform, **key)
    assert status == 201, made
    assert call("POST", "/api/v1/practices", new, platform, **key) == (201, made)
    assert call("POST", "/api/v1/practices", new | {"tax_id": "1"}, platform, **key)[0] == 409
    assert call("POST", "/api/v1/practices", new, platform)[0] == 409
    sealed["invitation"] = made["admin"]["link"].split("#")[1]
    status, changed = call(
        "PATCH",
        f"/api/v1/practices/{made['practice']['id']}",
        {"tax_id": sealed["other tax id"]},
        platform,
        If_Match='"1"',
    )
    assert status == 200, changed

    # Signing in, all of it, with every way to fail
    invitation = {"token": sealed["invitation"]}
    assert call("POST", "/api/v1/auth/invitations/accept", invitation | {"password": sealed["weak"]})[0] == 422
    assert call("POST", "/api/v1/auth/invitations/accept", invitation | {"password": sealed["password"]})[0] == 200
    assert call("POST", "/api/v1/auth/invitations/accept", invitation | {"password": sealed["password"]})[0] >= 400
    assert call("POST", "/api/v1/auth/login", {"email": email, "password": sealed["wrong password"]})[0] == 401
    status, step = call("POST", "/api/v1/auth/login", {"email": email, "password": sealed["password"]})
    assert step["next"] == "enrol"
    sealed["enrolment token"] = step["token"]
    status, enrolment = call("POST", "/api/v1/auth/mfa/enrol", {"token": step["token"]})
    assert status == 200
    sealed["totp secret"] = enrolment["secret"]
    sealed["totp bytes"] = base64.b32decode(enrolment["secret"])
    assert call("POST", "/api/v1/auth/mfa/confirm", {"token": step["token"], "code": "abcdef"})[0] == 401
    code = pyotp.TOTP(enrolment["secret"]).now()
    status, step = call("POST", "/api/v1/auth/mfa/confirm", {"token": step["token"], "code": code})
    assert status == 200, step
    sealed |= {f"recovery code {n}": code for n, code in enumerate(step["recovery_codes"])}
    token = step["tokens"]["access_token"]
    sealed |= {"access token": token, "refresh token": step["tokens"]["refresh_token"]}
    status, renewed = call("POST", "/api/v1/auth/refresh", {"refresh_token": sealed["refresh token"]})
    assert status == 200
    sealed |= {"second access token": renewed["access_token"], "second refresh token": renewed["refresh_token"]}
    assert call("POST", "/api/v1/auth/password/reset-request", {"email": email})[0] == 202
    change = {"current": sealed["wrong password"], "new": sealed["password"]}
    assert call("POST", "/api/v1/auth/password", change, token)[0] == 401

    # Refusals that repeat what was sent, if anything does
    colleague = {"email": f"{words['colleague']}@example.com", "first_name": words["colleague"], "last_name": "B"}
    colleague |= {"roles": ["clinician"], "hired_on": "2026-01-05"}
    assert call("POST", "/api/v1/staff", colleague, token, **{"Idempotency_Key": f"staff-{WORD}"})[0] == 201
    assert call("POST", "/api/v1/staff", colleague, token)[0] == 409  # the database's own detail names the row
    garbage = words["garbage"]
    for wrong in ({"email": garbage}, {"first_name": f"{garbage}\x01"}, {garbage: garbage}, {"hired_on": garbage}):
        assert call("POST", "/api/v1/staff", colleague | wrong, token)[0] == 422
    assert call("POST", "/api/v1/staff", f'{{"email": "{garbage}'.encode(), token)[0] == 422
    assert call("POST", "/api/v1/staff", (garbage * 100_000).encode(), token)[0] in (400, 413)
    assert call("GET", f"/api/v1/staff?role={words['query']}", None, token)[0] == 422
    assert call("GET", f"/api/v1/staff?cursor={words['query']}", None, token)[0] == 422
    assert call("GET", f"/api/v1/staff/{words['path']}", None, token)[0] == 422
    assert call("GET", f"/{words['path']}?{words['query']}", None, token)[0] == 404
    assert call("DELETE", f"/api/v1/staff?{words['query']}", None, token)[0] == 405
    assert call("GET", "/api/v1/staff", None, words["header"])[0] == 401
    assert call("GET", "/api/v1/staff", None, token, X_Request_Id=f"{words['header']}, {words['header']}")[0] == 200

    plant_a_client(call, token, words, sealed)
    plant_a_note(installation, call, sealed)

    # Failures on our side
    assert call("GET", f"/noisy/raise?word={words['raised']}")[0] == 500
    for kind in ("unique", "check", "syntax", "raised"):
        assert call("GET", f"/noisy/database?kind={kind}&word={words['raised'].lower()}")[0] == 500
    assert call("GET", f"/noisy/database?kind=warned&word={words['raised']}")[0] == 200
    sealed["weak"] = "Zebra-Kumquat 88"  # the refused one is a part of the other words
    return sealed, words | {"raised in lower case": words["raised"].lower()}


def plant_a_client(call: Service, token: str, words: dict[str, str], sealed: dict[str, str | bytes]) -> None:
    """Taken in, written about, searched, found on the second page, and refused."""
    words |= {name: f"Q{name}{WORD}" for name in ("client", "surname", "street", "why")}
    sealed["medical notes"] = f"Takes Sampline {WORD}"
    person = {"first_name": words["client"], "last_name": words["surname"], "birth_date": "1990-05-17"}
    person |= {"address": words["street"], "email": f"{words['client']}@example.com"}
    status, made = call("POST", "/api/v1/clients", person, token)
    assert status == 201, made
    assert call("POST", "/api/v1/clients", person | {"zip": words["street"], "phone": words["why"]}, token)[0] == 422
    notes, path = {"medical_notes": sealed["medical notes"]}, f"/api/v1/clients/{made['id']}"
    assert call("PATCH", path, notes, token, If_Match='"1"', X_Reason=words["why"])[0] == 200
    status, read = call("GET", path, None, token, X_Reason=words["why"])
    assert read["medical_notes"] == sealed["medical notes"]
    assert call("POST", "/api/v1/clients", person, token)[0] == 201
    for wanted in (words["surname"], "1990-05-17"):
        status, found = call("POST", "/api/v1/clients/search", {"query": wanted}, token)
        assert (status, len(found["items"])) == (200, 2)
    status, page = call("GET", "/api/v1/clients?limit=1", None, token)
    assert call("GET", f"/api/v1/clients?limit=1&cursor={page['next_cursor']}", None, token)[0] == 200
    status, invited = call("POST", f"{path}/portal-invitation", None, token)
    assert status == 200, invited
    sealed["portal invitation"] = invited["link"].split("#")[1]


def plant_a_note(installation: Installation, call: Service, sealed: dict[str, str | bytes]) -> None:
    """Refused, unlocked, written, returned, signed by two, amended, added to, searched for."""
    said = ("draft", "plan", "returned", "amended", "addendum", "unlocked", "because", "query", "generated", "wrong")
    word = {name: f"Q{name} {WORD}" for name in said}
    sealed |= {f"note: {name}": text for name, text in word.items()}
    now = datetime.now(UTC)
    practice = make_practice(installation, now=now)
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    client_id = make_client(practice, clinician)
    start = now - timedelta(days=30)
    session = make_appointment(practice, clinician, client_id, make_service(practice), start, guarded=False)
    author, reviewer = practice.token(clinician), practice.token(supervisor)
    content = {"sections": SOAP | {"subjective": word["draft"]}, "diagnoses": ["F41.1"]}
    new = content | {"client_id": str(client_id), "type": "SOAP_NOTE", "appointment_id": str(session)}

    def refused(status: int, method: str, path: str, body: Any, **headers: str) -> None:
        found, answer = call(method, f"/api/v1/notes{path}", body, author, **headers)
        assert (found, WORD in json.dumps(answer)) == (status, False), answer

    refused(409, "POST", "", new)
    note_id = make_note(practice, clinician, client_id, appointment_id=session, now=start + timedelta(hours=1))
    path = f"/api/v1/notes/{note_id}"
    assert call("POST", f"{path}/unlock", {"reason": word["unlocked"]}, reviewer)[0] == 200
    key = {"Idempotency_Key": f"note-{WORD}"}
    assert call("POST", "/api/v1/notes", new, author, **key) == call("POST", "/api/v1/notes", new, author, **key)
    wrong = word["wrong"]
    for bad in (
        *({"sections": {wrong: wrong}}, {"sections": {"subjective": f"{wrong}\0"}}, {"sections": wrong}),
        *({"diagnoses": [wrong]}, {"sections": {"sub": wrong}}, {wrong: wrong}, {"type": wrong}),
    ):
        refused(422, "POST", "", new | bad)
    refused(409, "POST", f"/{note_id}/generate", {"source": word["generated"]}, If_Match='"1"')
    refused(409, "POST", f"/{note_id}/addendum", {"text": wrong, "reason": wrong})
    refused(412, "PUT", f"/{note_id}", content, If_Match='"99"')
    steps: list[tuple[str, str, dict[str, Any] | None, str]] = [
        ("PUT", "", content, author),
        ("POST", "/submit", None, author),
        ("POST", "/return", {"reason": word["returned"]}, reviewer),
        ("PUT", "", {"sections": SOAP | {"plan": word["plan"]}}, author),
        ("POST", "/submit", None, author),
        ("POST", "/co-sign", None, reviewer),
        ("POST", "/amend", {"sections": SOAP | {"plan": word["amended"]}, "reason": word["because"]}, author),
        ("POST", "/addendum", {"text": word["addendum"], "reason": word["because"]}, author),
    ]
    for version, (method, step, body, token) in enumerate(steps, 1):
        status, answer = call(method, path + step, body, token, If_Match=f'"{version}"')
        assert status == 200, answer
    assert WORD in json.dumps(call("GET", f"{path}/history", None, author)[1])
    found = call("POST", "/api/v1/notes/search", {"query": f"{word['query'][1:]} {WORD}"}, author)
    assert found[1]["items"] == []
    found = call("POST", "/api/v1/notes/search", {"query": word["addendum"]}, author)
    assert [item["note"]["id"] for item in found[1]["items"]] == [str(note_id)]
    refused(422, "POST", "/search", {"query": word["query"], "cursor": wrong})
    assert call("GET", f"{path}/verification", None, reviewer)[1]["intact"]


def test_sealed_words_stand_in_no_file(planted: Planted) -> None:
    files = [*files_in(planted.data), *planted.logs]
    assert any(file.parent.name == "pg_wal" for file in files)
    assert hits(planted.sealed, files) == []


def test_no_log_holds_a_word_of_anybody(planted: Planted) -> None:
    assert planted.statuses.count(500) == 5
    assert len(planted.logs) == 2
    assert hits(planted.sealed | planted.personal, planted.logs) == []
    assert hits({"anything": WORD}, planted.logs) == []


def test_the_logs_were_written_and_say_where_it_failed(planted: Planted) -> None:
    api, server = (log.read_text() for log in planted.logs)
    lines = [json.loads(line) for line in api.splitlines()]
    assert [line["error"] for line in lines if line["status"] == 500] == [
        "RuntimeError", "IntegrityError", "IntegrityError", "DataError", "ProgrammingError",
    ]  # fmt: skip
    assert "noisy.py" in str(lines)
    assert len(lines) == len(planted.statuses)
    assert "ready to accept connections" in server


def test_the_search_finds_what_is_there(planted: Planted) -> None:
    """The control: names stand in the tables, plain, and in the write-ahead log."""
    found = hits({"first": planted.personal["first"]}, files_in(planted.data))
    assert {form for _, form, _ in found} == {"plain"}
    wal = {file.name for file in files_in(planted.data / "pg" / "pg_wal")}
    assert {name for _, _, name in found} & wal
    assert {name for _, _, name in found} - wal


@pytest.mark.parametrize("beside", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("form", ["plain", "hex", "HEX", "base64"])
def test_the_search_finds_every_form(tmp_path: Path, form: str, beside: str) -> None:
    text = f"{beside}{WORD}{beside}".encode()
    coded = {"plain": text, "hex": text.hex().encode(), "HEX": text.hex().upper().encode()}
    (tmp_path / "file").write_bytes(b"\0..." + (coded.get(form) or base64.b64encode(text)) + b"...\xff")
    assert (("word", form, "file")) in hits({"word": WORD}, [tmp_path / "file"])
    assert hits({"word": WORD[::-1]}, [tmp_path / "file"]) == []
