"""Filters that lists share: people by id or `me`, local dates, and instants."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.fields import Day, IdOrMe, Instant
from api.responses import ListQuery
from practice.people.practice_time import span_of_days
from practice.security.permissions import Forbidden
from practice.security.work import Work


class DaysQuery(ListQuery):
    """The query of a list over local dates, both inclusive."""

    first: Annotated[Day | None, Field(alias="from", description="On this local date or later.")] = None
    last: Annotated[Day | None, Field(alias="to", description="On this local date or earlier.")] = None


class StartsQuery(DaysQuery):
    """By local dates or by instants; both apply."""

    starts_after: Annotated[Instant | None, Field(description="Starts at this instant or later.")] = None
    starts_before: Annotated[Instant | None, Field(description="Starts before this instant.")] = None

    def to_span(self, work: Work) -> dict[str, datetime | None]:
        """Return the bounds of the start, `since` inclusive and `until` exclusive."""
        since, until = span_of_days(work, self.first, self.last, self.starts_after, self.starts_before)
        return {"since": since, "until": until}


def resolve_me(person_id: IdOrMe | None, own_id: UUID | None) -> UUID | None:
    """Return the id, the caller's own for `me`, or raise Forbidden when they have none."""
    if person_id == "me" and own_id is None:
        raise Forbidden("`me` is not available to your account. Send an id instead.")
    return own_id if person_id == "me" else person_id
