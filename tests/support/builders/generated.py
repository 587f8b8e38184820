"""Generated practices that are imported and measured, with a login for any of their staff."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from ingest.synthetic import Size, generate
from practice.people.models.practices import Staff
from practice.security.installation import Installation
from tests.support.builders.bundles import import_practice
from tests.support.builders.people import NOW, Person, PracticeFixture, accept_membership
from tests.support.builders.published import publish_metrics


def import_generated(installation: Installation, folder: Path, size: Size, seed: int) -> PracticeFixture:
    """Import a generated practice with its metrics as of NOW. Its people are those with each role, and its admin."""
    generate(folder, size, seed, NOW)
    tenant_id = import_practice(installation, folder).practice.id
    with installation.store.begin_session(tenant_id) as db:
        staff = list(db.scalars(select(Staff).where(Staff.tenant_id == tenant_id).order_by(Staff.id)))
        people = [Person(person.account_id, person.id, person.email, person.roles) for person in staff]
    practice = PracticeFixture(installation, tenant_id, next(one for one in people if "admin" in one.roles), now=NOW)
    for person in people:
        accept_membership(installation, person.account_id, tenant_id, NOW)
        practice.people.setdefault(person.roles[0], person)
    publish_metrics(practice)
    return practice


def list_people(practice: PracticeFixture, role: str, at: datetime = NOW) -> list[Person]:
    """Return the people with a role who have not left."""
    with practice.installation.store.begin_session(practice.id) as db:
        query = select(Staff).where(Staff.tenant_id == practice.id, Staff.roles.contains([role]))
        present = query.where(Staff.left_on.is_(None) | (Staff.left_on > at.date())).order_by(Staff.id)
        return [Person(one.account_id, one.id, one.email, one.roles) for one in db.scalars(present)]
