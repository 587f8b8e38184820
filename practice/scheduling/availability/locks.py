"""Locks on clinicians, rooms and clients whose time is about to change."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from practice.security.work import Work


def lock_resources(work: Work, resource_ids: Collection[UUID | None]) -> None:
    """Whoever books or moves waits here for others who do so with the same people or rooms: each locks all that it
    touches, old and new, in one order, so nobody waits for somebody who waits for them."""
    work.db.execute(
        text("select pg_advisory_xact_lock(hashtextextended(id::text, 0)) from unnest(cast(:ids as uuid[])) as id"),
        {"ids": sorted({resource_id for resource_id in resource_ids if resource_id is not None})},
    )
