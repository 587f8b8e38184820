"""A changed email address never moves a client's portal to somebody else."""

import threading
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api import jobs
from practice.people.models.clients import Client
from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import load_audit_entries, send_request, update_record
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, token_headers
from tests.support.drivers.sign_in_flow import list_emails, post, read_secret, set_clock

REASON = {"X_Reason": "Showed an ID at the front desk"}


@pytest.fixture
def scheduler(practice: PracticeFixture) -> Person:
    return practice.add("scheduler")


@pytest.fixture
def portal_client(practice: PracticeFixture) -> Person:
    return make_portal_client(practice)


def new_email() -> str:
    return f"new-{new_id()}@example.com"


def change_email(
    client: TestClient, practice: PracticeFixture, client_id: UUID, email: str | None, by: Person | None = None
) -> None:
    assert_ok(update_record(client, practice, f"/clients/{client_id}/contact", by, email=email))


def invite(client: TestClient, practice: PracticeFixture, client_id: UUID, by: Person, **headers: str) -> Any:
    return send_request(client, practice, "POST", f"/clients/{client_id}/portal/invite", by, **headers)


def confirm(client: TestClient, practice: PracticeFixture, email: str) -> Any:
    """Follow the newest link of the email about a change."""
    return post(client, "/email-changes/confirm", token=read_secret(practice.installation, email, "email-change"))


def test_the_link_is_in_no_answer(client: TestClient, practice: PracticeFixture, scheduler: Person) -> None:
    email = new_email()
    answer = invite(client, practice, make_client(practice, email=email), scheduler)
    assert answer.status_code == 200
    assert read_secret(practice.installation, email) not in answer.text
    assert list(answer.json()) == ["client_id", "client_name", "expires_at"]


@pytest.mark.parametrize("way", ["now", "after closing the portal", "a week later"])
def test_the_front_desk_cannot_move_a_portal_in_use(
    client: TestClient, practice: PracticeFixture, scheduler: Person, portal_client: Person, way: str
) -> None:
    email, path = new_email(), f"{V1}/clients/{portal_client.staff_id}/portal"
    change_email(client, practice, portal_client.staff_id, email, scheduler)
    if way == "after closing the portal":
        assert_ok(client.post(f"{path}/close", headers=auth_headers(practice, scheduler)))
    now = set_clock(client, timedelta(days=8) if way == "a week later" else timedelta(0))
    headers = token_headers(practice.token(scheduler, now))
    for more in ({}, {"X-Reason": "They asked me to"}):
        answer = client.post(f"{path}/invite", headers=headers | more)
        assert (answer.status_code, error_code(answer)) == (409, "EMAIL_UNCONFIRMED")
    assert client.post(f"{path}/confirm-email", json={"email": email}, headers=headers).status_code == 403
    assert list_emails(practice.installation, email) == []


def test_the_old_address_confirms_with_its_link(
    client: TestClient, practice: PracticeFixture, scheduler: Person, portal_client: Person
) -> None:
    email = new_email()
    change_email(client, practice, portal_client.staff_id, email, scheduler)
    [notice] = list_emails(practice.installation, portal_client.email)
    assert "n***@example.com" in notice["text"]
    assert email not in notice["text"]
    assert_ok(confirm(client, practice, portal_client.email))
    assert error_code(confirm(client, practice, portal_client.email)) == "LINK_NOT_VALID"
    session = auth_headers(practice, portal_client)
    path = f"{V1}/clients/{portal_client.staff_id}"
    assert client.get(path, headers=session).status_code == 200
    assert_ok(invite(client, practice, portal_client.staff_id, scheduler))
    assert read_secret(practice.installation, email)
    assert client.get(path, headers=session).status_code == 401
    assert len(load_audit_entries(client, practice, "client.email_confirmed", portal_client.staff_id)) == 1


def test_a_link_confirms_only_the_address_that_it_was_sent_about(
    client: TestClient, practice: PracticeFixture, scheduler: Person, portal_client: Person
) -> None:
    change_email(client, practice, portal_client.staff_id, new_email(), scheduler)
    first = read_secret(practice.installation, portal_client.email, "email-change")
    change_email(client, practice, portal_client.staff_id, new_email(), scheduler)
    assert error_code(post(client, "/email-changes/confirm", token=first)) == "LINK_NOT_VALID"
    assert_ok(confirm(client, practice, portal_client.email))
    change_email(client, practice, portal_client.staff_id, new_email(), scheduler)
    assert error_code(invite(client, practice, portal_client.staff_id, scheduler)) == "EMAIL_UNCONFIRMED"


def test_the_signed_in_client_confirms(
    client: TestClient, practice: PracticeFixture, scheduler: Person, portal_client: Person
) -> None:
    email = new_email()
    change_email(client, practice, portal_client.staff_id, email, scheduler)
    path = f"/clients/{portal_client.staff_id}/portal/confirm-email"
    wrong = send_request(client, practice, "POST", path, portal_client, {"email": new_email()})
    assert wrong.status_code == 422
    assert error_code(invite(client, practice, portal_client.staff_id, scheduler)) == "EMAIL_UNCONFIRMED"
    assert_ok(send_request(client, practice, "POST", path, portal_client, {"email": email.upper()}))
    assert_ok(invite(client, practice, portal_client.staff_id, scheduler))


def test_a_change_by_the_client_needs_no_confirmation(
    client: TestClient, practice: PracticeFixture, scheduler: Person, portal_client: Person
) -> None:
    change_email(client, practice, portal_client.staff_id, new_email(), portal_client)
    [notice] = list_emails(practice.installation, portal_client.email)
    assert "#" not in notice["text"]
    assert_ok(invite(client, practice, portal_client.staff_id, scheduler))


@pytest.mark.parametrize("in_use", [True, False])
def test_an_admin_may_invite_with_a_reason(
    client: TestClient, practice: PracticeFixture, portal_client: Person, in_use: bool
) -> None:
    client_id = portal_client.staff_id if in_use else make_client(practice, email=new_email())
    change_email(client, practice, client_id, new_email())
    code = "EMAIL_UNCONFIRMED" if in_use else "INVITATION_HELD"
    assert error_code(invite(client, practice, client_id, practice.admin)) == code
    assert_ok(invite(client, practice, client_id, practice.admin, **REASON))
    [entry] = load_audit_entries(client, practice, "client.invited", client_id)
    assert entry["details"] == {"reason": "Showed an ID at the front desk"}


@pytest.mark.parametrize("old_email", ["old", None])
def test_a_changed_address_is_told_and_held_for_a_day(
    client: TestClient, practice: PracticeFixture, scheduler: Person, old_email: str | None
) -> None:
    old_email = old_email and f"old-{new_id()}@example.com"
    client_id, email = make_client(practice, email=old_email), new_email()
    change_email(client, practice, client_id, email, scheduler)
    assert [message["to"] for message in list_emails(practice.installation, old_email or "")] == (
        [old_email] if old_email else []
    )
    answer = invite(client, practice, client_id, scheduler)
    assert (answer.status_code, error_code(answer)) == (409, "INVITATION_HELD")
    assert answer.json()["error"]["details"]["held_until"] == "2026-03-19T15:30:00+00:00"
    later = set_clock(client, timedelta(hours=24))
    headers = token_headers(practice.token(scheduler, later))
    assert client.post(f"{V1}/clients/{client_id}/portal/invite", headers=headers).status_code == 200
    assert read_secret(practice.installation, email)


def test_the_hold_is_a_setting(client: TestClient, practice: PracticeFixture, scheduler: Person) -> None:
    with practice.work() as work:
        change_setting(work, "portal_email_hold_hours", 0, NOW.date())
    client_id = make_client(practice, email=new_email())
    change_email(client, practice, client_id, new_email(), scheduler)
    assert_ok(invite(client, practice, client_id, scheduler))


def test_an_unused_invitation_to_the_old_address_is_void(
    client: TestClient, practice: PracticeFixture, scheduler: Person
) -> None:
    mistyped = new_email()
    client_id = make_client(practice, email=mistyped)
    assert_ok(invite(client, practice, client_id, scheduler))
    change_email(client, practice, client_id, new_email(), scheduler)
    answer = post(
        client,
        "/invitations/accept",
        token=read_secret(practice.installation, mistyped),
        password="Teal-Walrus 41 hums",
    )
    assert error_code(answer) == "LINK_NOT_VALID"


def test_another_spelling_of_the_address_is_no_change(
    client: TestClient, practice: PracticeFixture, scheduler: Person, portal_client: Person
) -> None:
    change_email(client, practice, portal_client.staff_id, portal_client.email.upper(), scheduler)
    assert list_emails(practice.installation, portal_client.email) == []
    assert_ok(invite(client, practice, portal_client.staff_id, scheduler))


def test_a_minors_portal_belongs_to_the_guardian(
    client: TestClient, practice: PracticeFixture, scheduler: Person
) -> None:
    guardian, other = new_email(), new_email()
    minor = {"birth_date": date(2014, 9, 1), "guardian_name": "Pat Example", "guardian_email": guardian}
    child = make_client(practice, email=None, **minor)
    assert invite(client, practice, child, scheduler).status_code == 200
    assert read_secret(practice.installation, guardian)
    # an address of the child leaves the guardian's as it is, and one of the guardian is a change like any other
    change_email(client, practice, child, new_email(), scheduler)
    assert invite(client, practice, child, scheduler).status_code == 200
    assert_ok(update_record(client, practice, f"/clients/{child}", scheduler, guardian_email=other))
    assert list_emails(practice.installation, guardian)[-1]["subject"].endswith("was changed")
    assert error_code(invite(client, practice, child, scheduler)) == "INVITATION_HELD"
    for phone in (None, "404-555-0102"):
        own_email = new_email()
        contact = {"guardian_email": None, "guardian_phone": phone, "email": own_email}
        refused = invite(client, practice, make_client(practice, **minor | contact), scheduler)
        assert (refused.status_code, error_code(refused)) == (409, "EMAIL_MISSING")
        assert "Record the guardian's email" in refused.json()["error"]["message"]
        assert list_emails(practice.installation, own_email) == []


def test_at_eighteen_the_guardians_portal_is_closed_and_the_client_can_be_invited(
    own_client: TestClient, own_installation: Installation
) -> None:
    practice = make_practice(own_installation)
    scheduler, guardian, own = practice.add("scheduler"), new_email(), new_email()
    minor = {"guardian_name": "Pat Example", "guardian_email": guardian, "email": own}
    tomorrow = practice.now + timedelta(days=1)
    children = [make_client(practice, birth_date=date(2008, 3, day), **minor) for day in (19, 20)]

    def list_open() -> list[UUID]:
        with practice.work() as work:
            query = select(Client.id).where(Client.tenant_id == practice.id, Client.account_id.is_not(None))
            return list(work.db.scalars(query))

    for child in children:
        assert_ok(invite(own_client, practice, child, scheduler))
        assert list_open() == [child]
        jobs.run_practice_jobs(own_installation, practice.now, threading.Event(), recent=True)
        assert list_open() == [child]
        jobs.run_practice_jobs(own_installation, tomorrow, threading.Event(), recent=True)
        assert list_open() == ([] if child == children[0] else [child])
    [entry] = load_audit_entries(own_client, practice, "client.portal_closed", children[0])
    assert entry["details"]["cause"] == "OF_AGE"
    assert_ok(update_record(own_client, practice, f"/clients/{children[1]}", scheduler, emancipated=True))
    jobs.run_practice_jobs(own_installation, practice.now, threading.Event(), recent=True)
    assert list_open() == []
    # messages go to another address from then on, which holds invitations back
    assert error_code(invite(own_client, practice, children[1], scheduler)) == "INVITATION_HELD"
    assert_ok(invite(own_client, practice, children[1], practice.admin, **REASON))
    assert read_secret(own_installation, own)


@pytest.mark.parametrize(
    ("activated_at", "open_afterwards"),
    [("2026-02-28T15:00Z", False), ("2026-03-01T04:59Z", False), ("2026-03-01T05:00Z", True)],
)
def test_a_portal_first_used_before_the_birthday_of_a_leap_day_is_the_guardians(
    own_installation: Installation, activated_at: str, open_afterwards: bool
) -> None:
    """A client born on February 29, 2008 comes of age on March 1, 2026, at midnight in New York."""
    practice = make_practice(own_installation)
    born = make_portal_client(practice, birth_date=date(2008, 2, 29))
    with practice.installation.store.begin_session(practice.id) as db:
        client = db.get_one(Client, (practice.id, born.staff_id))
        client.portal_activated_at = datetime.fromisoformat(activated_at)
    jobs.run_practice_jobs(own_installation, practice.now, threading.Event(), recent=True)
    with practice.work() as work:
        client = work.db.get_one(Client, (practice.id, born.staff_id))
        assert (client.account_id is not None) is open_afterwards


def test_an_emancipated_minor_keeps_their_own_portal(own_installation: Installation) -> None:
    practice = make_practice(own_installation)
    person = make_portal_client(practice, birth_date=date(2009, 5, 17), emancipated=True)
    jobs.run_practice_jobs(own_installation, practice.now, threading.Event(), recent=True)
    with practice.work() as work:
        assert work.db.get_one(Client, (practice.id, person.staff_id)).account_id == person.account_id


def test_a_minors_new_address_is_held_and_the_guardian_notified(
    own_client: TestClient, own_installation: Installation
) -> None:
    practice = make_practice(own_installation)
    scheduler, guardian, first, second = practice.add("scheduler"), new_email(), new_email(), new_email()
    born = date(2008, 3, 19)  # comes of age tomorrow
    child = make_client(practice, birth_date=born, guardian_name="Pat Example", guardian_email=guardian, email=first)
    assert_ok(invite(own_client, practice, child, scheduler))
    change_email(own_client, practice, child, second, scheduler)
    for address, subject in ((guardian, "An email address at"), (first, "Your email address at")):
        assert list_emails(own_installation, address)[-1]["subject"].startswith(subject)
    assert list_emails(own_installation, second) == []
    jobs.run_practice_jobs(own_installation, practice.now + timedelta(hours=20), threading.Event(), recent=True)
    path = f"{V1}/clients/{child}/portal/invite"
    for hours, code in ((20, "INVITATION_HELD"), (25, None)):
        now = set_clock(own_client, timedelta(hours=hours), practice.now)
        answer = own_client.post(path, headers=token_headers(practice.token(scheduler, now)))
        assert (answer.status_code, None if code is None else error_code(answer)) == (
            200 if code is None else 409,
            code,
        )


@pytest.mark.parametrize("way", ["in the portal", "by link"])
def test_a_guardians_confirmation_is_not_about_the_childs_address(
    client: TestClient, practice: PracticeFixture, scheduler: Person, way: str
) -> None:
    born = date(2008, 3, 19)  # comes of age tomorrow
    guardian = make_portal_client(practice, birth_date=born, guardian_name="Pat Example", guardian_email=new_email())
    path, new_guardian_email = f"/clients/{guardian.staff_id}", new_email()
    change_email(client, practice, guardian.staff_id, new_email(), scheduler)
    assert_ok(update_record(client, practice, path, scheduler, guardian_email=new_guardian_email))
    if way == "in the portal":
        confirm_path = f"{path}/portal/confirm-email"
        assert_ok(send_request(client, practice, "POST", confirm_path, guardian, {"email": new_guardian_email}))
    tomorrow = set_clock(client, timedelta(days=1))
    if way == "by link":
        assert_ok(confirm(client, practice, guardian.email))
    headers = token_headers(practice.token(scheduler, tomorrow))
    answer = client.post(f"{V1}{path}/portal/invite", headers=headers)
    assert (answer.status_code, error_code(answer)) == (409, "EMAIL_UNCONFIRMED")
