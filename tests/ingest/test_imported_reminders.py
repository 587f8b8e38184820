"""Imported visits that lie ahead get reminders like booked ones."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from practice.messages.outbox import find_channels, load_recipient
from practice.people.models.practices import Practice
from practice.scheduling.appointments.notifications import list_reminders
from practice.scheduling.client_contacts import change_contact
from practice.scheduling.models.appointments import Appointment
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.bundles import (
    NOW,
    Rows,
    import_practice,
    load_sample_rows,
    make_unique,
    query_rows,
    write_folder,
)

NOBODY = dict.fromkeys(("email", "phone", "guardian_email", "guardian_phone"), "")


def make_rows(starts_at: datetime, status: str = "SCHEDULED", **client: str) -> Rows:
    """Return a bundle whose only visit that can lie ahead is A7, of Kim, who has these values."""
    rows = make_unique(load_sample_rows())
    rows["appointments"] = [row for row in rows["appointments"] if row["id"] != "A6"]
    (visit,) = [row for row in rows["appointments"] if row["id"] == "A7"]
    visit["starts_at"], visit["ends_at"] = (
        at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in (starts_at, starts_at + timedelta(minutes=45))
    )
    visit["status"], visit["status_at"] = status, "" if status == "SCHEDULED" else "2026-03-02T12:00:00Z"
    rows["clients"][0] |= client
    return rows


def list_planned(installation: Installation, practice: Practice) -> list[tuple[str, int, str, datetime]]:
    query = "select kind, lead_minutes, channel, due_at from messages where status = 'PLANNED' order by due_at, channel"
    return [tuple(row) for row in query_rows(installation, practice, query)]


def compute_reminders(installation: Installation, practice: Practice) -> list[tuple[str, int, str, datetime]]:
    """Return the reminders that the visit would get if it were booked."""
    with installation.work(Actor(practice.id), NOW) as work:
        visits = select(Appointment).where(Appointment.tenant_id == practice.id, Appointment.starts_at > NOW)
        (visit,) = work.db.scalars(visits).all()
        recipient = load_recipient(work, visit.client_id)
        return [
            (reminder.kind, reminder.lead_minutes or 0, channel, reminder.due_at)
            for reminder in list_reminders(work, [visit])
            for channel in find_channels(recipient, reminder.kind, reminder.due_at)
        ]


AHEAD = NOW + timedelta(days=10)
TODAY = NOW + timedelta(hours=3)


@pytest.mark.parametrize(
    ("starts_at", "leads", "client"),
    [
        (AHEAD, [1440, 120, 15], {}),
        (TODAY, [120, 15], {}),
        (NOW + timedelta(minutes=10), [], {}),
        (AHEAD, [], {"email": ""}),  # only email is chosen
        (AHEAD, [1440, 120, 15], {"birth_date": "2012-02-29", "guardian_email": "gus@example.com", "email": ""}),
        (AHEAD, [], {"birth_date": "2012-02-29", "guardian_phone": "404-555-0103"}),  # which no email reaches
        (AHEAD, [1440, 120, 15], {"birth_date": "2012-02-29"}),
        (AHEAD, [1440], {"birth_date": "2008-03-28", "guardian_email": "gus@example.com", "email": ""}),
    ],
)
def test_imported_visits_get_the_reminders_of_booked_ones(
    installation: Installation, tmp_path: Path, starts_at: datetime, leads: list[int], client: dict[str, str]
) -> None:
    rows = make_rows(starts_at, **client)
    practice = import_practice(installation, write_folder(tmp_path / "b", rows)).practice
    planned = list_planned(installation, practice)
    assert [lead for _, lead, _, _ in planned] == leads
    assert {(kind, channel) for kind, _, channel, _ in planned} <= {("REMINDER", "email")}
    assert [due for *_, due in planned] == [starts_at - timedelta(minutes=lead) for lead in leads]
    assert planned == compute_reminders(installation, practice)


@pytest.mark.parametrize(("status", "count"), [("CONFIRMED", 3), ("CANCELLED", 0), ("RESCHEDULED", 0)])
def test_only_visits_that_are_expected_get_reminders(
    installation: Installation, tmp_path: Path, status: str, count: int
) -> None:
    practice = import_practice(installation, write_folder(tmp_path / "b", make_rows(AHEAD, status))).practice
    assert len(list_planned(installation, practice)) == count


def test_contact_details_recorded_after_an_import_plan_the_reminders(
    installation: Installation, tmp_path: Path
) -> None:
    practice = import_practice(installation, write_folder(tmp_path / "b", make_rows(AHEAD, **NOBODY))).practice
    assert list_planned(installation, practice) == []
    ((client_id, version),) = query_rows(
        installation, practice, "select id, version from clients where external_id = 'K1'"
    )
    with installation.work(Actor(practice.id), NOW) as work:
        change_contact(work, Scope.ALL, client_id, version, {"email": "kim@example.com"})
    assert [lead for _, lead, _, _ in list_planned(installation, practice)] == [1440, 120, 15]
