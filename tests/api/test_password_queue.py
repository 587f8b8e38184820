"""Requests that hash a password wait in a queue of their own, and take no thread from other requests."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from api.app import THREADS
from api.password_queue import MAX_PER_ADDRESS, MAX_REQUESTS, PasswordQueue
from practice.store.ids import new_id
from tests.support.builders.people import PASSWORD, PracticeFixture, give_credentials
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code
from tests.support.drivers.sign_in_flow import login, post

PATIENCE = 20  # seconds


class SlowHash:
    """A hash that goes on until it is released, with the requests that wait behind it."""

    def __init__(self, queue: PasswordQueue, portal: BlockingPortal) -> None:
        self.queue, self.portal = queue, portal
        self.started, self.end = threading.Event(), threading.Event()
        self.requests: list[Any] = []

    def compute(self) -> None:
        self.started.set()
        assert self.end.wait(60)

    def add(self, address: str) -> None:
        """Add a request from this address."""
        self.requests.append(self.portal.start_task_soon(self.queue.run, address, self.compute))
        assert self.started.wait(60)
        self.portal.call(self.queue.requests.total)  # the request has taken its place

    def finish(self) -> None:
        """Let the hash and all requests behind it end."""
        self.end.set()
        for request in self.requests:
            request.result(60)


@pytest.fixture
def slow_hash(client: TestClient, portal: BlockingPortal) -> Iterator[SlowHash]:
    slow = SlowHash(client.app.state.password_queue, portal)  # ty: ignore[unresolved-attribute]
    yield slow
    slow.finish()


def test_other_requests_are_served_meanwhile(
    client: TestClient, practice: PracticeFixture, slow_hash: SlowHash
) -> None:
    give_credentials(practice.installation, practice.admin.account_id)
    headers = auth_headers(practice)
    slow_hash.add("192.0.2.1")
    with ThreadPoolExecutor(MAX_PER_ADDRESS) as pool:
        logins = [pool.submit(login, client, practice.admin.email) for _ in range(MAX_PER_ADDRESS)]
        for _ in range(2 * THREADS):
            assert_ok(client.get(f"{V1}/auth/me", headers=headers))
        assert not any(waiting.done() for waiting in logins)
        slow_hash.end.set()
        assert {waiting.result()["next"] for waiting in logins} == {"code"}


def post_meanwhile(client: TestClient, slow_hash: SlowHash, path: str, **body: str) -> Any:
    """Send a request while the hash goes on, and return its answer; one that waits for the hash fails the test."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, client, path, **body)
        try:
            return answer.result(PATIENCE)
        finally:
            if not answer.done():
                slow_hash.end.set()


def test_an_address_has_a_limited_share_of_the_queue(client: TestClient, slow_hash: SlowHash) -> None:
    for _ in range(MAX_PER_ADDRESS):
        slow_hash.add("testclient")  # the address of the test client
    refused = post_meanwhile(client, slow_hash, "/login", email=f"{new_id()}@example.com", password=PASSWORD)
    assert (refused.status_code, error_code(refused)) == (429, "RATE_LIMITED")
    assert refused.headers["Retry-After"] == "1"


def test_a_full_queue_refuses_the_next_request(client: TestClient, slow_hash: SlowHash) -> None:
    for number in range(MAX_REQUESTS):
        slow_hash.add(f"192.0.2.{number}")
    for path in ("/login", "/invitations/accept", "/password/reset"):
        body = {"email": "a@example.com"} if path == "/login" else {"token": "A" * 43}
        refused = post_meanwhile(client, slow_hash, path, password=PASSWORD, **body)
        assert (refused.status_code, error_code(refused)) == (503, "SIGN_IN_BUSY")
        assert refused.headers["Retry-After"] == "2"


def test_places_are_given_back(client: TestClient, slow_hash: SlowHash) -> None:
    for _ in range(MAX_PER_ADDRESS):
        slow_hash.add("192.0.2.1")
    slow_hash.finish()
    assert slow_hash.queue.requests == Counter()
