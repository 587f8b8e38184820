"""Emails are written with the transaction that causes them, or not at all."""

import pytest

from practice.security.email_outbox import Email
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.sign_in_flow import list_emails


class Interrupted(Exception):
    pass


def test_work_that_fails_sends_nothing(practice: PracticeFixture) -> None:
    address = f"{new_id()}@example.com"

    def fail() -> None:
        with practice.work() as work:
            work.emails.append(Email(address, "Hello", "You"))
            raise Interrupted

    with pytest.raises(Interrupted):
        fail()
    assert list_emails(practice.installation, address) == []


def test_a_commit_that_fails_takes_the_emails_back(practice: PracticeFixture) -> None:
    address = f"{new_id()}@example.com"

    def fail() -> None:
        with practice.work() as work:
            work.emails.append(Email(address, "Hello", "You"))
            work.db.connection().exec_driver_sql(
                "create temporary table later (a int primary key deferrable initially deferred) on commit drop"
            )
            work.db.connection().exec_driver_sql("insert into later values (1), (1)")

    with pytest.raises(Exception, match="later_pkey"):
        fail()
    assert list_emails(practice.installation, address) == []


def test_work_sends_all_its_emails(practice: PracticeFixture) -> None:
    address = f"{new_id()}@example.com"
    with practice.work() as work:
        work.emails += [Email(address, subject, "You") for subject in ("First", "Second")]
        with work.in_practice(practice.id) as inside:
            inside.emails.append(Email(address, "Third", "You"))
    subjects = [email["subject"] for email in list_emails(practice.installation, address)]
    assert sorted(subjects) == ["First", "Second", "Third"]  # those of one millisecond are in no order
