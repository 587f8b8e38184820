"""The marts: what analysts read of a practice. The views are in the schema `marts`, with comments as their dictionary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text

from practice.errors import Refusal
from practice.store.store import Store

# Only views that the reader may read: a dump is not a reason to show others.
MARTS_SQL = """
    select c.relname, obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, a.atttypmod),
        col_description(c.oid, a.attnum)
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'marts'::regnamespace and c.relkind = 'v'
    order by c.relname, a.attnum
"""


class MartColumn(NamedTuple):
    """A column of a mart."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Mart:
    """A view that analysts read."""

    name: str
    description: str
    columns: list[MartColumn]
