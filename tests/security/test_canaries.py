"""Canary words sent through the real service do not leak: sealed ones to no file, personal ones to no log."""

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
from practice.store.ids import SYSTEM_TENANT
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.people import make_platform_admin, make_practice, sign_in
from tests.support.builders.schedule import make_appointment, make_client, make_service
from tests.support.drivers.sign_in_flow import read_secret
from tests.support.harness.installations import create_short_folder, open_embedded_installation
from tests.support.oracles.canaries import find_words, list_files

REPOSITORY = Path(__file__).parents[2]
WORD = secrets.token_hex(6)  # new in each run, so that leftovers are not found


@dataclass
class Service:
    """The API in its own process, with its output in a file."""

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
    """The canaries that were sent, and the files to search."""

    data: Path
    logs: list[Path]
    statuses: list[int]
    sealed: dict[str, str | bytes]
    """Must not appear in any file: encrypted fields, passwords, tokens, secrets."""
    personal: dict[str, str | bytes]
    """Stored in tables, and must not appear in any log."""


@pytest.fixture(scope="module")
def planted() -> Generator[Planted]:
    master = MasterKey.generate()
    with create_short_folder() as folder, open_embedded_installation(folder / "data", master) as installation:
        installation.settings.outbox_dir = folder / "outbox"
        service, process = start(folder, master)
        try:
            sealed, personal = plant(installation, service)
        finally:
            process.terminate()
            process.wait(timeout=30)
        assert installation.store.embedded is not None
        with psycopg.connect(**installation.store.embedded.build_conninfo("superuser"), autocommit=True) as connection:
            connection.execute("checkpoint")
        logs = [service.log, *list_files(folder / "data" / "log")]
        yield Planted(folder / "data", logs, service.statuses, sealed, personal)


def start(folder: Path, master: MasterKey) -> tuple[Service, subprocess.Popen[bytes]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        environment = os.environ | {
            "CASELOAD_DATA_DIR": str(folder / "data"),
            "CASELOAD_MASTER_KEY": master.to_text(),
            "CASELOAD_OUTBOX_DIR": str(folder / "outbox"),  # emails contain tokens, and are not a log
            "CASELOAD_SIGN_INS_PER_MINUTE": "1000",
            "PYTHONPATH": str(REPOSITORY),
        }
        command = [
            "uvicorn",
            "tests.support.drivers.leaky_routes:create_leaky_app",
            "--factory",
            "--fd",
            str(listener.fileno()),
        ]
        with (folder / "api.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command, "--no-access-log", "--log-level", "warning"],
                stdout=log,
                stderr=log,
                env=environment,
                cwd=folder,
                pass_fds=[listener.fileno()],
            )
    return Service(f"http://127.0.0.1:{port}", folder / "api.log"), process


def plant(installation: Installation, call: Service) -> tuple[dict[str, str | bytes], dict[str, str | bytes]]:
    now = datetime.now(UTC)
    platform = sign_in(installation, make_platform_admin(installation).account_id, SYSTEM_TENANT, now).access
    kinds = ("practice", "first", "last", "email", "garbage", "query", "path", "header", "raised", "colleague")
    canaries = {name: f"Q{name}{WORD}" for name in kinds}
    sealed: dict[str, str | bytes] = {"tax id": f"58-{WORD}", "other tax id": f"59-{WORD}", "platform": platform}
    sealed |= {
        "password": f"Zebra-Kumquat 88 dances {WORD}",
        "wrong password": f"Zebra-Kumquat 99 sleeps {WORD}",
        "weak": f"{WORD[:7]}",
    }
    email = f"{canaries['email']}@example.com".lower()
    canaries["email"] = email
    key = {"Idempotency_Key": f"key-{WORD}"}

    # A practice and its tax id; replayed from the stored answer; refused for its duplicate name
    admin = {"email": email, "first_name": canaries["first"], "last_name": canaries["last"]}
    new = {"name": canaries["practice"], "time_zone": "UTC", "tax_id": sealed["tax id"], "admin": admin}
    status, made = call("POST", "/api/v1/practices", new, platform, **key)
    assert status == 201, made
    assert call("POST", "/api/v1/practices", new, platform, **key) == (201, made)
    assert call("POST", "/api/v1/practices", new | {"tax_id": "1"}, platform, **key)[0] == 409
    assert call("POST", "/api/v1/practices", new, platform)[0] == 409
    sealed["invitation"] = read_secret(installation, email)
    status, changed = call(
        "PATCH",
        f"/api/v1/practices/{made['practice']['id']}",
        {"tax_id": sealed["other tax id"]},
        platform,
        If_Match='"1"',
    )
    assert status == 200, changed

    # Sign-in, with every way to fail
    invitation = {"token": sealed["invitation"]}
    assert call("POST", "/api/v1/auth/invitations/accept", invitation | {"password": sealed["weak"]})[0] == 422
    assert call("POST", "/api/v1/auth/invitations/accept", invitation | {"password": sealed["password"]})[0] == 200
    assert call("POST", "/api/v1/auth/invitations/accept", invitation | {"password": sealed["password"]})[0] >= 400
    assert call("POST", "/api/v1/auth/login", {"email": email, "password": sealed["wrong password"]})[0] == 401
    status, step = call("POST", "/api/v1/auth/login", {"email": email, "password": sealed["password"]})
    assert step["next"] == "enroll"
    sealed["enrollment token"] = step["token"]
    status, enrollment = call("POST", "/api/v1/auth/mfa/enroll", {"token": step["token"]})
    assert status == 200
    sealed["totp secret"] = enrollment["secret"]
    sealed["totp bytes"] = base64.b32decode(enrollment["secret"])
    assert call("POST", "/api/v1/auth/mfa/confirm", {"token": step["token"], "code": "abcdef"})[0] == 401
    code = pyotp.TOTP(enrollment["secret"]).now()
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

    # Refusals, which are likely to repeat what was sent
    colleague = {"email": f"{canaries['colleague']}@example.com", "first_name": canaries["colleague"], "last_name": "B"}
    colleague |= {"roles": ["clinician"], "hired_on": "2026-01-05"}
    assert call("POST", "/api/v1/staff", colleague, token, **{"Idempotency_Key": f"staff-{WORD}"})[0] == 201
    assert call("POST", "/api/v1/staff", colleague, token)[0] == 409  # the database's error detail names the row
    garbage = canaries["garbage"]
    for wrong in ({"email": garbage}, {"first_name": f"{garbage}\x01"}, {garbage: garbage}, {"hired_on": garbage}):
        assert call("POST", "/api/v1/staff", colleague | wrong, token)[0] == 422
    assert call("POST", "/api/v1/staff", f'{{"email": "{garbage}'.encode(), token)[0] == 422
    assert call("POST", "/api/v1/staff", (garbage * 100_000).encode(), token)[0] in (400, 413)
    assert call("GET", f"/api/v1/staff?role={canaries['query']}", None, token)[0] == 422
    assert call("GET", f"/api/v1/staff?cursor={canaries['query']}", None, token)[0] == 422
    assert call("GET", f"/api/v1/staff/{canaries['path']}", None, token)[0] == 422
    assert call("GET", f"/{canaries['path']}?{canaries['query']}", None, token)[0] == 404
    assert call("DELETE", f"/api/v1/staff?{canaries['query']}", None, token)[0] == 405
    assert call("GET", "/api/v1/staff", None, canaries["header"])[0] == 401
    assert (
        call("GET", "/api/v1/staff", None, token, X_Request_Id=f"{canaries['header']}, {canaries['header']}")[0] == 200
    )

    plant_a_client(installation, call, token, canaries, sealed)
    plant_a_note(installation, call, sealed)

    # Internal failures
    assert call("GET", f"/leaky/raise?word={canaries['raised']}")[0] == 500
    for kind in ("unique", "check", "syntax", "raised"):
        assert call("GET", f"/leaky/database?kind={kind}&word={canaries['raised'].lower()}")[0] == 500
    assert call("GET", f"/leaky/database?kind=warned&word={canaries['raised']}")[0] == 200
    sealed["weak"] = "Zebra-Kumquat 88"  # the refused one is part of the other canaries
    return sealed, canaries | {"raised in lower case": canaries["raised"].lower()}


def plant_a_client(
    installation: Installation, call: Service, token: str, canaries: dict[str, str], sealed: dict[str, str | bytes]
) -> None:
    """Create, update, search, page through and refuse clients."""
    canaries |= {name: f"Q{name}{WORD}" for name in ("client", "surname", "street", "why")}
    sealed["medical notes"] = f"Takes Sampline {WORD}"
    person = {"first_name": canaries["client"], "last_name": canaries["surname"], "birth_date": "1990-05-17"}
    person |= {"address": canaries["street"], "email": f"{canaries['client']}@example.com"}
    status, made = call("POST", "/api/v1/clients", person, token)
    assert status == 201, made
    assert (
        call("POST", "/api/v1/clients", person | {"zip": canaries["street"], "phone": canaries["why"]}, token)[0] == 422
    )
    path = f"/api/v1/clients/{made['id']}"
    notes = {"medical_notes": sealed["medical notes"]}
    assert call("PATCH", path, notes, token, If_Match='"1"', X_Reason=canaries["why"])[0] == 403  # not for admins
    assert call("POST", "/api/v1/clients", person, token)[0] == 201
    for query in (canaries["surname"], "1990-05-17"):
        status, matches = call("POST", "/api/v1/clients/search", {"query": query}, token)
        assert (status, len(matches["items"])) == (200, 2)
    status, page = call("GET", "/api/v1/clients?limit=1", None, token)
    assert call("GET", f"/api/v1/clients?limit=1&cursor={page['next_cursor']}", None, token)[0] == 200
    status, invited = call("POST", f"{path}/portal/invite", None, token)
    assert status == 200, invited
    sealed["portal invitation"] = read_secret(installation, person["email"].lower())


def plant_a_note(installation: Installation, call: Service, sealed: dict[str, str | bytes]) -> None:
    """Refuse, unlock, write, return, co-sign, amend, extend and search notes."""
    kinds = ("draft", "plan", "returned", "amended", "addendum", "unlocked", "because", "query", "generated", "wrong")
    word = {name: f"Q{name} {WORD}" for name in kinds}
    sealed |= {f"note: {name}": text for name, text in word.items()}
    now = datetime.now(UTC)
    practice = make_practice(installation, now=now)
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    client_id = make_client(practice, clinician)
    notes, path = {"medical_notes": sealed["medical notes"]}, f"/api/v1/clients/{client_id}"
    assert call("PATCH", path, notes, practice.token(clinician, now), If_Match='"1"')[0] == 200
    status, read = call("GET", path, None, practice.token(now=now), X_Reason=f"Q{WORD}")
    assert read["medical_notes"] == sealed["medical notes"]
    start = now - timedelta(days=30)
    session = make_appointment(practice, clinician, client_id, make_service(practice), start, guarded=False)
    author, reviewer = practice.token(clinician), practice.token(supervisor)
    content = {"sections": SOAP | {"subjective": word["draft"]}, "diagnoses": ["F41.1"]}
    new = content | {"client_id": str(client_id), "type": "SOAP_NOTE", "appointment_id": str(session)}

    def assert_refused(status: int, method: str, path: str, body: Any, **headers: str) -> None:
        actual, answer = call(method, f"/api/v1/notes{path}", body, author, **headers)
        assert (actual, WORD in json.dumps(answer)) == (status, False), answer

    assert_refused(409, "POST", "", new)
    note_id = make_note(practice, clinician, client_id, appointment_id=session, now=start + timedelta(hours=1))
    path = f"/api/v1/notes/{note_id}"
    assert call("POST", f"{path}/unlock", {"reason": word["unlocked"]}, reviewer)[0] == 200
    key = {"Idempotency_Key": f"note-{WORD}"}
    assert call("POST", "/api/v1/notes", new, author, **key) == call("POST", "/api/v1/notes", new, author, **key)
    wrong = word["wrong"]
    for bad in (
        {"sections": {wrong: wrong}},
        {"sections": {"subjective": f"{wrong}\0"}},
        {"sections": wrong},
        {"diagnoses": [wrong]},
        {"sections": {"sub": wrong}},
        {wrong: wrong},
        {"type": wrong},
    ):
        assert_refused(422, "POST", "", new | bad)
    assert_refused(409, "POST", f"/{note_id}/generate", {"source": word["generated"]}, If_Match='"1"')
    assert_refused(409, "POST", f"/{note_id}/addendum", {"text": wrong, "reason": wrong})
    assert_refused(412, "PUT", f"/{note_id}", content, If_Match='"99"')
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
    matches = call("POST", "/api/v1/notes/search", {"query": f"{word['query'][1:]} {WORD}"}, author)
    assert matches[1]["items"] == []
    matches = call("POST", "/api/v1/notes/search", {"query": word["addendum"]}, author)
    assert [item["note"]["id"] for item in matches[1]["items"]] == [str(note_id)]
    assert_refused(422, "POST", "/search", {"query": word["query"], "cursor": wrong})
    assert call("GET", f"{path}/verification", None, reviewer)[1]["intact"]


def test_sealed_canaries_are_in_no_file(planted: Planted) -> None:
    files = [*list_files(planted.data), *planted.logs]
    assert any(file.parent.name == "pg_wal" for file in files)
    assert find_words(planted.sealed, files) == []


def test_no_log_contains_a_canary(planted: Planted) -> None:
    assert planted.statuses.count(500) == 5
    assert len(planted.logs) == 2
    assert find_words(planted.sealed | planted.personal, planted.logs) == []
    assert find_words({"anything": WORD}, planted.logs) == []


def test_the_logs_were_written_and_name_the_failures(planted: Planted) -> None:
    api, server = (log.read_text() for log in planted.logs)
    lines = [json.loads(line) for line in api.splitlines()]
    assert [line["error"] for line in lines if line["status"] == 500] == [
        "RuntimeError", "IntegrityError", "IntegrityError", "DataError", "ProgrammingError",
    ]  # fmt: skip
    assert "leaky_routes.py" in str(lines)
    assert len(lines) == len(planted.statuses)
    assert "ready to accept connections" in server


def test_the_search_finds_stored_canaries(planted: Planted) -> None:
    """The control: names are in the tables and in the write-ahead log, in plain text."""
    matches = find_words({"first": planted.personal["first"]}, list_files(planted.data))
    assert {form for _, form, _ in matches} == {"plain"}
    wal = {file.name for file in list_files(planted.data / "pg" / "pg_wal")}
    assert {name for _, _, name in matches} & wal
    assert {name for _, _, name in matches} - wal


@pytest.mark.parametrize("beside", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("form", ["plain", "hex", "HEX", "base64"])
def test_the_search_finds_every_form(tmp_path: Path, form: str, beside: str) -> None:
    text = f"{beside}{WORD}{beside}".encode()
    coded = {"plain": text, "hex": text.hex().encode(), "HEX": text.hex().upper().encode()}
    (tmp_path / "file").write_bytes(b"\0..." + (coded.get(form) or base64.b64encode(text)) + b"...\xff")
    assert (("word", form, "file")) in find_words({"word": WORD}, [tmp_path / "file"])
    assert find_words({"word": WORD[::-1]}, [tmp_path / "file"]) == []
