"""The demo practices: eighteen synthetic months with a login for each role, and a new one with nothing in it."""

import json
import secrets
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pyotp
from sqlalchemy import and_, exists, func, select

from ingest.bundle.load import import_bundle
from ingest.synthetic import Size, generate
from practice.errors import ConfigurationProblem
from practice.people import portal
from practice.people.models.clients import Client
from practice.people.models.practices import Practice, Staff
from practice.people.practice_time import local_today
from practice.people.practices import create_practice
from practice.people.rules.clients import compute_adult_cutoff
from practice.people.rules.practices import slugify
from practice.people.staff import add_staff, reinvite_staff
from practice.people.trainings import record_training
from practice.scheduling.models.appointments import Appointment
from practice.security import accounts, sign_in
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.store.private_files import write_private

SEED = 20
FULL = Size.demo()
SMALL = Size(FULL.name, FULL.time_zone, clinicians=3, clients=120, months=4)
NAME = FULL.name
ROLES = ("admin", "supervisor", "clinician", "scheduler", "biller", "analyst")
NEW_PRACTICE = "New Leaf Counseling"
NEW_ADMIN = "new admin"  # of that practice, on its first day


def create_demo(
    installation: Installation, now: datetime, report: Callable[[str], None], size: Size = FULL
) -> list[dict[str, Any]]:
    """Create the demo practice once, or finish an interrupted run. Store and return its logins."""
    if installation.settings.is_production:
        raise ConfigurationProblem("The demo practice cannot be created in production. Use `caseload practice create`.")
    file = installation.settings.data_dir / "demo-logins.json"
    logins: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    password = logins[0]["password"] if logins else f"Willow-{secrets.token_hex(2)}-Street-{secrets.token_hex(2)}"
    practice_id = import_practice(installation, now, report, size)
    invitations = dict.fromkeys(ROLES, invite_staff) | {"client": invite_client, NEW_ADMIN: create_new_practice}
    for role, invite in invitations.items():
        if any(login["role"] == role for login in logins):
            continue
        report(f"Inviting the {role}")
        email, secret = invite(installation, practice_id, role, now)
        logins.append(activate_login(installation, role, email, secret, password, now))
        write_private(file, json.dumps(logins, indent=2))
    return logins


def refresh(installation: Installation, dagster_url: str | None, now: datetime, report: Callable[[str], None]) -> None:
    """Compute the metrics of all practices: in a run that Dagster's page shows, or without Dagster."""
    from orchestration.definitions import Place, refresh_at_once
    from practice.analytics.refreshes import list_active_practices
    from warehouse.refresh import refresh_each

    store, root = installation.store, installation.settings.warehouse
    if dagster_url is not None:
        refresh_at_once(dagster_url, Place(store, root))
    else:
        refresh_each(store, root, list_active_practices(store), lambda: now, report)


def import_practice(installation: Installation, now: datetime, report: Callable[[str], None], size: Size) -> UUID:
    """Return the practice with its history, imported if it does not exist. Nobody in it can sign in yet."""
    with installation.store.begin_system_session() as db:
        practice_id = db.scalar(select(Practice.id).where(Practice.slug == slugify(size.name)))
    if practice_id is not None:
        return practice_id
    with tempfile.TemporaryDirectory() as folder:
        report(f"Generating {size.months} months of {size.name}")
        generate(Path(folder), size, SEED, now, report)
        return import_bundle(installation, Path(folder), now, report).practice.id


def invite_staff(installation: Installation, practice_id: UUID, role: str, now: datetime) -> tuple[str, str]:
    """Return email and invitation secret of a staff member with this role.

    Their training is of today, so that it has not lapsed when the demo is opened later.
    """
    email = f"{role}@willow.example"
    with installation.work(Actor(practice_id), now) as work:
        staff = work.db.scalar(select(Staff).where(Staff.tenant_id == practice_id, Staff.email == email))
        today = now.astimezone(ZoneInfo(FULL.time_zone)).date()
        if staff is None:  # a role that a bundle does not have
            person: Any = {
                "email": email,
                "first_name": "Ana",
                "last_name": "Chart",
                "roles": [role],
                "hired_on": today,
            }
            invited = add_staff(work, by_email=False, **person)
        else:
            invited = reinvite_staff(work, staff.id, by_email=False)
        record_training(work, Scope.ALL, invited.staff.id, "HIPAA", today)
    return email, invited.secret or ""


def invite_client(installation: Installation, practice_id: UUID, _role: str, now: datetime) -> tuple[str, str]:
    """Return email and invitation secret of an adult in treatment who has visits to look at, past and to come."""
    with installation.work(Actor(practice_id), now) as work:
        visit = and_(Appointment.tenant_id == practice_id, Appointment.client_id == Client.id)
        past = visit & (Appointment.status == "COMPLETED")
        to_come = visit & Appointment.status.in_(["SCHEDULED", "CONFIRMED"]) & (Appointment.starts_at > now)
        next_visit = select(func.max(Appointment.starts_at)).where(to_come).scalar_subquery()
        client = work.db.scalars(
            select(Client)
            .where(
                Client.tenant_id == practice_id,
                Client.ended_on.is_(None),
                Client.email.is_not(None),
                Client.birth_date <= compute_adult_cutoff(local_today(work)),  # for a minor the guardian signs in
            )
            .order_by(exists().where(past).desc(), next_visit.desc().nulls_last(), Client.id)
            .limit(1)
        ).one()
        invited = portal.invite_client(work, Scope.ALL, client.id, by_email=False)
    return invited.client.email or "", invited.secret or ""


def create_new_practice(installation: Installation, _practice_id: UUID, _role: str, now: datetime) -> tuple[str, str]:
    """Create a practice without any records, and return email and invitation secret of its admin."""
    email = "admin@newleaf.example"
    with installation.store.begin_system_session() as db:
        known = db.scalar(select(Practice.id).where(Practice.slug == slugify(NEW_PRACTICE)))
    if known is None:
        admin = {"email": email, "first_name": "Nora", "last_name": "Leaf"}
        with installation.work(Actor(), now) as work:
            practice, invited = create_practice(
                work, name=NEW_PRACTICE, time_zone=FULL.time_zone, admin=admin, by_email=False
            )
            known = practice.id
    else:  # created by a run that was interrupted
        with installation.work(Actor(known), now) as work:
            staff_id = work.db.scalars(select(Staff.id).where(Staff.tenant_id == known, Staff.email == email)).one()
            invited = reinvite_staff(work, staff_id, by_email=False)
    with installation.work(Actor(known), now) as work:
        record_training(work, Scope.ALL, invited.staff.id, "HIPAA", local_today(work))
    return email, invited.secret or ""


def activate_login(
    installation: Installation, role: str, email: str, secret: str, password: str, now: datetime
) -> dict[str, Any]:
    """Accept the invitation, set a password, enroll an authenticator, and return the login."""
    accounts.accept_invitation(installation, secret, password, now)
    step = sign_in.sign_in(installation, email, password, now)
    login = {"role": role, "email": email, "password": password}
    authenticator, _ = sign_in.begin_enrollment(installation, step.token or "", now)
    # the previous code is still accepted, and the current one stays unused
    code = pyotp.TOTP(authenticator).at(now - timedelta(seconds=30))
    sign_in.confirm_enrollment(installation, step.token or "", code, now)
    return login | {"authenticator": authenticator}


def generate_code(login: dict[str, Any], now: datetime) -> str:
    return pyotp.TOTP(login["authenticator"]).at(now)
