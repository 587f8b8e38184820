"""Payers: whom the practice's coverages name, each with the id and the name that most of them have."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.people.models.clients import Coverage
from practice.people.name_search import begins_a_word, split_words
from practice.security.work import Work


class Payer(NamedTuple):
    """An insurance, as coverages name it."""

    id: str
    name: str


def list_payers(work: Work, name: str | None = None) -> list[Payer]:
    """Return the payers by name, or those with a word that begins with each typed word."""
    named = (
        select(Coverage.payer_id, Coverage.payer_name)
        .ext(distinct_on(Coverage.payer_id))
        .where(Coverage.tenant_id == work.tenant_id, Coverage.voided_at.is_(None))
        .group_by(Coverage.payer_id, Coverage.payer_name)
        .order_by(Coverage.payer_id, func.count().desc(), Coverage.payer_name)
        .subquery()
    )
    words = split_words(work, name) if name else []
    query = select(named.c.payer_id, named.c.payer_name)
    query = query.where(*(begins_a_word(named.c.payer_name, word) for word in words))
    rows = work.db.execute(query.order_by(func.lower(named.c.payer_name), named.c.payer_id))
    return [Payer(*row) for row in rows] if words or not name else []
