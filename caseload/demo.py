"""A demo practice: eighteen made-up months, brought in as a bundle, and a login for a person of every role."""

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
from sqlalchemy import select

from ingest.bundle.load import import_bundle
from ingest.synthetic import Size, make_up
from practice.errors import ConfigurationProblem
from practice.people import portal
from practice.people.models.clients import Client
from practice.people.models.practices import Practice, Staff
from practice.people.rules.practices import slug_of
from practice.people.staff import add_staff, invite_again
from practice.people.trainings import record_training
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


def make_demo(
    installation: Installation, now: datetime, say: Callable[[str], None], size: Size = FULL
) -> list[dict[str, Any]]:
    """The demo practice, made once; a run that was interrupted is finished. The logins stay in the data folder."""
    if installation.settings.production:
        raise ConfigurationProblem("A demo practice has no place in production. Use `caseload practice create`.")
    file = installation.settings.data_dir / "demo-logins.json"
    logins: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    password = logins[0]["password"] if logins else f"Willow-{secrets.token_hex(2)}-Street-{secrets.token_hex(2)}"
    practice_id = open_practice(installation, now, say, size)
    for role in (*ROLES, "client"):
        if any(login["role"] == role for login in logins):
            continue
        say(f"Letting the {role} in")
        email, secret = (invite_client if role == "client" else invite_staff)(installation, practice_id, role, now)
        logins.append(take_place(installation, role, email, secret, password, now))
        write_private(file, json.dumps(logins, indent=2))
    return logins


def open_practice(installation: Installation, now: datetime, say: Callable[[str], None], size: Size) -> UUID:
    """The practice with its history. Nobody of it has been let in yet."""
    with installation.store.system_session() as db:
        found = db.scalar(select(Practice.id).where(Practice.slug == slug_of(size.name)))
    if found is not None:
        return found
    with tempfile.TemporaryDirectory() as folder:
        say(f"Making up {size.months} months of {size.name}")
        make_up(Path(folder), size, SEED, now, say)
        return import_bundle(installation, Path(folder), now, say).practice.id


def invite_staff(installation: Installation, practice_id: UUID, role: str, now: datetime) -> tuple[str, str]:
    """The person of this role, with a training of today: a demo that somebody opens later is not to be suspended."""
    email = f"{role}@willow.example"
    with installation.work(Actor(practice_id), now) as work:
        staff = work.db.scalar(select(Staff).where(Staff.tenant_id == practice_id, Staff.email == email))
        today = now.astimezone(ZoneInfo(FULL.time_zone)).date()
        if staff is None:  # a role that bundles do not know
            invited = add_staff(work, email=email, first_name="Ana", last_name="Chart", roles=[role], hired_on=today)
        else:
            invited = invite_again(work, staff.id)
        record_training(work, invited.staff.id, Scope.ALL, "HIPAA", today)
    return email, invited.secret


def invite_client(installation: Installation, practice_id: UUID, _role: str, now: datetime) -> tuple[str, str]:
    """Some client who is in treatment and has an e-mail address of their own."""
    with installation.work(Actor(practice_id), now) as work:
        client = work.db.scalars(
            select(Client)
            .where(Client.tenant_id == practice_id, Client.ended_on.is_(None), Client.email.is_not(None))
            .order_by(Client.admitted_on.desc(), Client.id)
            .limit(1)
        ).one()
        invited = portal.invite_client(work, Scope.ALL, client.id)
    return invited.client.email or "", invited.secret


def take_place(
    installation: Installation, role: str, email: str, secret: str, password: str, now: datetime
) -> dict[str, Any]:
    """What an invited person does: take the invitation, set a password, enrol an authenticator."""
    accounts.accept_invitation(installation, secret, password, now)
    step = sign_in.sign_in(installation, email, password, now)
    login = {"role": role, "email": email, "password": password}
    authenticator, _ = sign_in.begin_enrolment(installation, step.token or "", now)
    # that of half a minute ago is still taken, and the code of now stays unused
    last = pyotp.TOTP(authenticator).at(now - timedelta(seconds=30))
    sign_in.confirm_enrolment(installation, step.token or "", last, now)
    return login | {"authenticator": authenticator}


def code_now(login: dict[str, Any], now: datetime) -> str:
    return pyotp.TOTP(login["authenticator"]).at(now)
