"""Measurement of ordinary requests beside a crowd: wrong sign-ins, silent sockets, unfinished uploads, heavy PDFs.

    python -m bench.crowd [--seconds 40] [--json]

The service runs as in production, with two workers and a database of its own. In each part a crowd does one thing
while 20 ordinary requests a second are sent on schedule, four reads to one write; latency counts from the scheduled
time, so that a stall delays all requests due in it. Memory is that of the workers and the processes they start, at its
peak in the part, compared with the moment before.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from bench.installation import (
    PASSWORD,
    LoadGenerator,
    MeasuredPractice,
    create_practice_to_measure,
    find_free_port,
    make_folder,
    open_temporary_installation,
)
from caseload.api_process import ApiProcess
from practice.clinical.documents.rules.templates import DEFAULT_TEMPLATES
from practice.people.staff import reinvite_staff
from practice.security import accounts, sign_in
from practice.security.installation import Installation
from practice.security.work import Actor
from practice.settings import Settings

HOST = "127.0.0.1"
RATE = 20
CONNECTIONS = 20
WRITES = 0.2
LOGIN_ADDRESSES = [f"127.0.0.{number}" for number in range(2, 7)]
WRONG_PASSWORD = "Teal-Walrus 42 hums softly"  # pragma: allowlist secret
LOGINS_PER_MINUTE = 60
SILENT_SOCKETS = 1200
UPLOADS = 100
PDF_READERS = 3
DOCUMENT_READERS = 20
MAX_P99_MS = 500
MAX_GROWTH_MB = 300
LEAD_SECONDS = 1.0  # the crowd is there before the first ordinary request
TALKATIVE = 20_000  # characters, the most that a section of a report takes


@dataclass
class Scene:
    """What a crowd needs to know: the port, and records and tokens of the practice."""

    port: int
    seconds: float
    admin_token: str
    clinician_token: str
    client_id: str
    report_id: str


@dataclass
class PartResult:
    """The ordinary requests of one part, the workers' growth, and what the crowd got."""

    name: str
    requests: int
    errors: dict[str, int]
    p50: float | None
    p99: float | None
    growth_mb: float
    crowd: dict[str, int]

    @property
    def is_met(self) -> bool:
        return not self.errors and (self.p99 or MAX_P99_MS + 1) <= MAX_P99_MS and self.growth_mb <= MAX_GROWTH_MB


async def exchange(scene: Scene, request: bytes, address: str | None = None) -> str:
    """Send a request on a new connection, and return the status of the response or the name of the error."""
    try:
        local = (address, 0) if address else None
        reader, writer = await asyncio.open_connection(HOST, scene.port, local_addr=local)
        try:
            writer.write(request)
            line = await reader.readline()
            while await reader.read(1 << 16):
                pass
        finally:
            writer.close()
    except OSError as error:
        return type(error).__name__
    return line[9:12].decode() or "closed"


def build_request(method: str, path: str, token: str = "", body: bytes = b"", kind: str = "application/json") -> bytes:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nAccept-Encoding: gzip\r\n{authorization}"
    if body:
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def repeat(scene: Scene, send: Callable[[], Awaitable[str]], readers: int) -> Counter[str]:
    """Let each reader send its next request as soon as it has a response, until the time is over."""
    tally: Counter[str] = Counter()
    end = time.monotonic() + scene.seconds

    async def read() -> None:
        while time.monotonic() < end:
            tally[await send()] += 1

    await asyncio.gather(*(read() for _ in range(readers)))
    return tally


async def send_wrong_logins(scene: Scene, *, burst: bool) -> Counter[str]:
    """Send 60 wrong sign-ins a minute from each address, spread over the time or all together at its beginning."""
    tally: Counter[str] = Counter()
    count = LOGINS_PER_MINUTE if burst else int(LOGINS_PER_MINUTE * scene.seconds / 60)

    async def guess(address: str, number: int) -> None:
        await asyncio.sleep(0 if burst else number * 60 / LOGINS_PER_MINUTE)
        body = {"email": f"guess-{address}-{number}@example.com", "password": WRONG_PASSWORD}
        request = build_request("POST", "/api/v1/auth/login", body=json.dumps(body).encode())
        tally[await exchange(scene, request, address)] += 1

    await asyncio.gather(*(guess(address, number) for address in LOGIN_ADDRESSES for number in range(count)))
    return tally


async def hold_open(scene: Scene, count: int, start: bytes) -> Counter[str]:
    """Open connections, send the beginning of a request or nothing, and wait for what the service does."""
    tally: Counter[str] = Counter()

    async def hold() -> None:
        try:
            reader, writer = await asyncio.open_connection(HOST, scene.port)
        except OSError as error:
            tally[type(error).__name__] += 1
            return
        with suppress(OSError):
            writer.write(start)
            try:
                line = await asyncio.wait_for(reader.readline(), scene.seconds)
                tally[line[9:12].decode() or "closed by the service"] += 1
            except TimeoutError:
                tally["held to the end"] += 1
        writer.close()

    await asyncio.gather(*(hold() for _ in range(count)))
    return tally


async def hold_silent_sockets(scene: Scene) -> Counter[str]:
    return await hold_open(scene, SILENT_SOCKETS, b"")


async def leave_uploads_unfinished(scene: Scene) -> Counter[str]:
    """Send the first part of an upload, and never the rest."""
    part = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    )
    head = build_request("POST", f"/api/v1/clients/{scene.client_id}/documents", scene.admin_token)
    fields = b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000000\r\n\r\n"
    return await hold_open(scene, UPLOADS, head.removesuffix(b"\r\n") + fields + part + bytes(100_000))


async def read_heavy_pdfs(scene: Scene) -> Counter[str]:
    request = build_request("GET", f"/api/v1/progress-reports/{scene.report_id}.pdf", scene.clinician_token)
    return await repeat(scene, lambda: exchange(scene, request), PDF_READERS)


async def read_openapi(scene: Scene) -> Counter[str]:
    request = build_request("GET", "/api/v1/openapi.json")
    return await repeat(scene, lambda: exchange(scene, request), DOCUMENT_READERS)


async def stay_away(scene: Scene) -> Counter[str]:
    await asyncio.sleep(scene.seconds)
    return Counter()


async def spread_logins(scene: Scene) -> Counter[str]:
    return await send_wrong_logins(scene, burst=False)


async def burst_logins(scene: Scene) -> Counter[str]:
    return await send_wrong_logins(scene, burst=True)


PARTS: dict[str, Callable[[Scene], Awaitable[Counter[str]]]] = {
    "nobody else": stay_away,
    f"wrong sign-ins, {len(LOGIN_ADDRESSES)} x {LOGINS_PER_MINUTE} a minute": spread_logins,
    f"wrong sign-ins, {len(LOGIN_ADDRESSES)} x {LOGINS_PER_MINUTE} together": burst_logins,
    f"{SILENT_SOCKETS} silent sockets": hold_silent_sockets,
    f"{UPLOADS} unfinished uploads": leave_uploads_unfinished,
    f"{PDF_READERS} readers of a heavy PDF": read_heavy_pdfs,
    f"{DOCUMENT_READERS} readers of openapi.json": read_openapi,
}


def run_crowd(name: str, scene: Scene, results: Any) -> None:
    """Run the crowd of a part, in a process of its own."""
    crowd: Any = PARTS[name](scene)
    results.send(dict(asyncio.run(crowd)))


class MemoryWatch:
    """The memory of the service's processes, sampled in a thread."""

    def __init__(self, parent: int) -> None:
        self.parent = parent
        self.peak = self.measure()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()

    def measure(self) -> int:
        """Return the resident memory of all descendants, in bytes; shared pages count in parts."""
        total, waiting = 0, [str(self.parent)]
        while waiting:
            process = waiting.pop()
            with suppress(OSError, StopIteration):  # the process may end meanwhile
                waiting += Path(f"/proc/{process}/task/{process}/children").read_text().split()
                lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
                total += 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])
        return total

    def sample(self) -> None:
        while not self.stop.wait(0.25):
            self.peak = max(self.peak, self.measure())

    def finish(self) -> int:
        """Stop and return the peak."""
        self.stop.set()
        self.thread.join()
        return self.peak


def run_part(name: str, scene: Scene, generator: LoadGenerator, parent: int) -> PartResult:
    """Run a crowd and the ordinary requests beside it."""
    watch = MemoryWatch(parent)
    before = watch.peak
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    crowd = context.Process(target=run_crowd, args=(name, scene, sender), daemon=True)
    crowd.start()
    time.sleep(LEAD_SECONDS)
    seconds = scene.seconds - LEAD_SECONDS
    plan = {"mode": "open", "port": scene.port, "path": "/api/v1/staff/", "writes": WRITES, "seconds": seconds}
    ordinary = generator.run(**plan, rate=RATE, connections=CONNECTIONS)
    growth = (watch.finish() - before) / 1e6
    outcome = receiver.recv() if receiver.poll(30) else {"crowd did not end": 1}
    crowd.kill()
    crowd.join()
    return PartResult(
        name, ordinary["requests"], ordinary["errors"], ordinary["p50"], ordinary["p99"], round(growth, 1), outcome
    )


def create_scene(installation: Installation, practice: MeasuredPractice, port: int, seconds: float) -> Scene:
    """Add a client with a clinician and a long progress report, over the API."""
    clinician_id = practice.rows[0][0]
    clinician_token = sign_in_staff(installation, practice, clinician_id)
    scene = Scene(port, seconds, practice.tokens[0], clinician_token, "", "")
    person = {"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17"}
    person["primary_clinician_id"] = clinician_id
    scene.client_id = post(scene, "/clients", scene.admin_token, person)["id"]
    words = "Attended, took part, and practiced between sessions. "
    text = (words * (TALKATIVE // len(words)))[:TALKATIVE].strip()
    sections = {section.key: text for section in DEFAULT_TEMPLATES["PROGRESS_REPORT"]}
    body = {"client_id": scene.client_id, "sections": sections}
    scene.report_id = post(scene, "/progress-reports", clinician_token, body)["id"]
    return scene


def sign_in_staff(installation: Installation, practice: MeasuredPractice, staff_id: str) -> str:
    """Accept a staff member's invitation and return an access token."""
    now = datetime.now(UTC)
    with installation.work(Actor(UUID(practice.id)), now) as work:
        invited = reinvite_staff(work, UUID(staff_id), by_email=False)
    accounts.accept_invitation(installation, invited.secret or "", PASSWORD, now)
    account_id = invited.staff.account_id
    tokens = sign_in.start_session(installation, account_id, UUID(practice.id), datetime.now(UTC), None).tokens
    assert tokens is not None
    return tokens.access


def post(scene: Scene, path: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://{HOST}:{scene.port}/api/v1{path}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - our own URL
        return json.load(response)


def print_results(results: list[PartResult]) -> None:
    table = Table("beside", "requests", "errors", "p50 ms", "p99 ms", "memory MB", "the crowd got", "target")
    for result in results:
        crowd = ", ".join(f"{count} x {outcome}" for outcome, count in sorted(result.crowd.items()))
        errors = ", ".join(f"{count} x {name}" for name, count in sorted(result.errors.items())) or "none"
        latencies = [str(value and round(value, 1)) for value in (result.p50, result.p99)]
        met = "met" if result.is_met else "missed"
        table.add_row(result.name, str(result.requests), errors, *latencies, f"{result.growth_mb:+}", crowd, met)
    console = Console()
    console.print(table)
    console.print(f"Targets: no errors, p99 of at most {MAX_P99_MS} ms, growth of at most {MAX_GROWTH_MB} MB.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40, help="of each part, from 30 to 60")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", action="append", help="only parts whose name contains this")
    arguments = parser.parse_args()
    seconds = min(max(arguments.seconds, 30), 60)
    names = [name for name in PARTS if not arguments.part or any(part in name for part in arguments.part)]
    with make_folder(disk=False) as folder, open_temporary_installation(folder) as installation:
        port = find_free_port()
        os.environ["CASELOAD_PORT"] = str(port)
        practice = create_practice_to_measure(installation)
        api = ApiProcess(Settings())
        api.start()
        assert api.process is not None
        try:
            scene = create_scene(installation, practice, port, seconds)
            with LoadGenerator(practice) as generator:
                generator.run(mode="open", port=port, path="/api/v1/staff/", writes=WRITES, seconds=3, rate=RATE)
                results = [run_part(name, scene, generator, api.process.pid) for name in names]
        finally:
            api.stop()
    if arguments.json:
        print(json.dumps([vars(result) | {"met": result.is_met} for result in results], indent=2))
    else:
        print_results(results)
    sys.exit(0 if all(result.is_met for result in results) else 1)


if __name__ == "__main__":
    main()
