"""Key rotation: a practice's data key, and the master key of the installation."""

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
    """Create a new data key for a practice, reseal its fields with it, and return how many.

    An interruption loses nothing: the older key still opens the fields that it sealed. Rotate again.
    """
    installation.keys.add_key(tenant_id, now)
    with installation.work(Actor(tenant_id), now) as work:
        count = installation.keys.reseal(work.db, tenant_id)
        work.record("data_key.rotated", number=installation.keys.get_cipher(tenant_id).current_key_number, fields=count)
    return count


def rotate_master_key(
    installation: Installation, new: MasterKey, now: datetime, progress: Progress = lambda _: None
) -> int:
    """Move all data keys and audit anchors to a new master key, one transaction per practice; return how many keys.

    The installation is open with the old key: stop the service first, and start it with the new key afterwards. After
    an interruption some practices use the one key and some the other: run it again with the same two keys.
    """
    if new.key_id == installation.master.key_id:
        raise ConfigurationProblem(
            "This is the current master key. Create a new one with `caseload keys create-master`."
        )
    new_anchors = Anchors(installation.settings.anchors, new)
    tenant_ids = installation.list_tenants()
    keys = 0
    for number, tenant_id in enumerate(tenant_ids, 1):
        progress(f"Rotating the master key: {number} of {len(tenant_ids)}")
        with installation.store.begin_session(tenant_id) as db:
            rewrapped = is_under_new_master(db, tenant_id, installation.master, new)
        if not rewrapped:
            with installation.work(Actor(tenant_id), now) as work:
                keys += (count := installation.keys.rewrap(work.db, tenant_id, new))
                work.record("master_key.changed", keys=count, master_key_id=new.key_id)
    for tenant_id in installation.anchors.list_tenants():
        installation.anchors.sign_with_new_key(tenant_id, new_anchors)
    return keys


def is_under_new_master(db: Session, tenant_id: UUID, old: MasterKey, new: MasterKey) -> bool:
    """Return whether an earlier run already moved this practice. Raise for a third key, before anything changes."""
    key_ids = set(db.scalars(select(DataKey.master_key_id).where(DataKey.tenant_id == tenant_id)))
    foreign = key_ids - {old.key_id, new.key_id}
    if foreign:
        raise ConfigurationProblem(
            f"The data keys of practice {tenant_id} are wrapped by the master key {foreign.pop()}, which is neither "
            f"the old one ({old.key_id}) nor the new one ({new.key_id}). Configure the right old key."
        )
    return old.key_id not in key_ids
