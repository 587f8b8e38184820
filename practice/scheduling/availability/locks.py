"""Locks on clinicians, rooms and clients whose time is about to change."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from practice.security.work import Work


def lock_resources(work: Work, resource_ids: Collection[UUID | None]) -> None:
    """Lock the clients, clinicians, rooms and groups until the transaction ends.

    Each transaction locks everything it touches, old and new, in one sorted statement, so that concurrent bookings
    cannot deadlock.
    """
    work.db.execute(
        text("select pg_advisory_xact_lock(hashtextextended(id::text, 0)) from unnest(cast(:ids as uuid[])) as id"),
        {"ids": sorted({resource_id for resource_id in resource_ids if resource_id is not None})},
    )
