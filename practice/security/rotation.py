"""Changing keys: a practice's data key, and the master key of the whole installation."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from practice.errors import ConfigurationProblem
from practice.security.audit import Anchors
from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.security.models import DataKey
from practice.security.work import Actor

Progress = Callable[[str], None]


def rotate_data_key(installation: Installation, tenant_id: UUID, now: datetime) -> int:
    """A new data key for a practice, and everything that it had sealed sealed again. Returns how many fields.

    Interrupted in between, nothing is lost: the older key goes on opening what it sealed; rotate again.
    """
    installation.keys.add_key(tenant_id, now)
    with installation.work(Actor(tenant_id), now) as work:
        count = installation.keys.reseal(work.db, tenant_id)
        work.record("data_key.rotated", number=installation.keys.cipher(tenant_id).current, fields=count)
    return count


def rotate_master_key(
    installation: Installation, new: MasterKey, now: datetime, progress: Progress = lambda _: None
) -> int:
    """Put all data keys and audit anchors under a new master key, each practice in one transaction.

    Returns how many keys were moved. The installation is still the old key's: stop the service first, and start it
    with the new key afterwards. Interrupted, some practices are under the one and some under the other: run it again with the
    same two keys.
    """
    if new.key_id == installation.master.key_id:
        raise ConfigurationProblem("This is the present master key. Make a new one with `caseload keys new-master`.")
    new_anchors = Anchors(installation.settings.anchors, new)
    everybody = installation.practices(now)
    keys = 0
    for place, tenant_id in enumerate(everybody, 1):
        progress(f"Changing the master key: {place} of {len(everybody)}")
        with installation.store.session_in(tenant_id) as db:
            done = under_new_master(db, tenant_id, installation.master, new)
        if not done:
            with installation.work(Actor(tenant_id), now) as work:
                keys += (count := installation.keys.rewrap(work.db, tenant_id, new))
                work.record("master_key.changed", keys=count, master_key_id=new.key_id)
    for tenant_id in installation.anchors.tenants():
        installation.anchors.sign_again(tenant_id, new_anchors)
    return keys


def under_new_master(db: Session, tenant_id: UUID, old: MasterKey, new: MasterKey) -> bool:
    """Whether an earlier attempt came as far as this practice. A third key is refused before anything changes."""
    found = set(db.scalars(select(DataKey.master_key_id).where(DataKey.tenant_id == tenant_id)))
    strange = found - {old.key_id, new.key_id}
    if strange:
        raise ConfigurationProblem(
            f"The data keys of practice {tenant_id} are under the master key {strange.pop()}, which is neither the old "
            f"one ({old.key_id}) nor the new one ({new.key_id}). Give the right old key."
        )
    return old.key_id not in found
