"""The minute job of the waitlist: offers that nobody answered end, and the next in line is asked."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import jobs
from practice.scheduling.waitlist import offers
from practice.security.installation import Installation
from practice.sessions import deadline_job
from tests.support.builders.people import make_practice
from tests.support.drivers.booking import HOUR, SECOND, BookingApi
from tests.support.drivers.waitlist import WaitlistScenario

HOLD = 24 * HOUR  # an offer holds for a day by default


@pytest.fixture
def own_api(own_client: TestClient, own_installation: Installation) -> BookingApi:
    return BookingApi(own_client, make_practice(own_installation))


def run_jobs(api: BookingApi) -> None:
    jobs.run_practice_jobs(api.practice.installation, api.now, threading.Event(), recent=True)


def test_the_minute_job_ends_a_lapsed_offer_and_asks_the_next_in_line(own_api: BookingApi) -> None:
    waiting = WaitlistScenario(own_api)
    first, second = waiting.join(), waiting.join()
    waiting.release()
    own_api.now += HOLD - SECOND
    run_jobs(own_api)
    assert (waiting.get_status(first), waiting.get_status(second)) == ("OFFERED", "WAITING")
    own_api.now += SECOND
    run_jobs(own_api)
    assert [offer["status"] for offer in waiting.list_offers(first)] == ["EXPIRED"]
    assert (waiting.get_status(first), waiting.get_status(second)) == ("WAITING", "OFFERED")
    assert waiting.get_open_offer(second)["starts_at"] == waiting.booked["starts_at"]
    messages = own_api.load_rows("select client_id from messages where kind = 'WAITLIST_OFFER' order by created_at")
    assert [str(message.client_id) for message in messages] == [first["client_id"], second["client_id"]]
    [entry] = own_api.load_audit_entries("waitlist.offer_expired")
    assert (str(entry.subject_id), entry.account_id) == (first["id"], None)


@pytest.mark.parametrize("failing", ["waitlist", "deadlines"])
def test_a_failing_job_stops_neither_the_other_job_nor_other_practices(
    own_api: BookingApi, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    other = BookingApi(own_api.http, make_practice(own_api.practice.installation))
    waiting = [WaitlistScenario(api) for api in (own_api, other)]
    entries = [scenario.join() for scenario in waiting]
    for scenario in waiting:
        scenario.release()
    own_api.now = other.now = own_api.now + HOLD
    runs: list[Any] = []

    def fail_in_first(original: Callable[..., Any]) -> Callable[..., Any]:
        def run(work: Any, **options: Any) -> Any:
            if work.tenant_id == own_api.practice.id:
                raise KeyError
            return original(work, **options)

        return run

    def count_runs(work: Any, **_options: Any) -> None:
        runs.append(work.tenant_id)

    if failing == "waitlist":
        monkeypatch.setattr(jobs, "expire_offers", fail_in_first(offers.expire_offers))
        monkeypatch.setattr(deadline_job, "run_deadline_job", count_runs)
    else:
        monkeypatch.setattr(deadline_job, "run_deadline_job", fail_in_first(count_runs))
    run_jobs(own_api)
    expired = [scenario.list_offers(entry)[0]["status"] for scenario, entry in zip(waiting, entries, strict=True)]
    assert expired == (["OPEN", "EXPIRED"] if failing == "waitlist" else ["EXPIRED", "EXPIRED"])
    assert set(runs) == {own_api.practice.id, other.practice.id} - (
        {own_api.practice.id} if failing == "deadlines" else set()
    )
