"""The practices' data keys: made, wrapped by the master key, kept unwrapped in memory, rotated."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Engine, Table, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from practice.errors import ConfigurationProblem
from practice.security.encryption import (
    FieldCipher,
    MasterKey,
    new_data_key,
    sealed_with,
    unwrap_data_key,
    wrap_data_key,
)
from practice.security.models import DataKey
from practice.store.base import Sealed, every_table
from practice.store.engine import session_in
from practice.store.ids import NOBODY

PORTION = 1000  # rows at a time
MAY_CHANGE = text("select has_table_privilege(:table, 'update')")
LOOK_AGAIN = timedelta(minutes=1)  # so a rotation in another process is used here within a minute


class KeyRing:
    """All data keys that this process has needed so far. Shared by its threads.

    A key is only used once it is committed: text sealed under a key that a rollback took away would be lost.
    """

    def __init__(self, engine: Engine, master: MasterKey) -> None:
        self.engine = engine
        self.master = master
        self._ciphers: dict[UUID, tuple[FieldCipher, datetime]] = {}

    def make_ready(self, tenant_id: UUID, now: datetime) -> None:
        """Have the practice's keys at hand, with a first one made when it has none. Before its transaction begins."""
        known = self._ciphers.get(tenant_id)
        if known is not None and now - known[1] < LOOK_AGAIN:
            return
        with session_in(self.engine, tenant_id) as db:
            found = self._load(db, tenant_id, now)
        if found is None:
            if tenant_id != NOBODY:
                self.make_ready(NOBODY, now)  # its key tells whether this is the right master key at all
            self._keep_key(tenant_id, 1, now)

    def add_key(self, tenant_id: UUID, now: datetime) -> None:
        """A new data key, used for everything sealed from now on. The older ones stay, for reading."""
        with session_in(self.engine, tenant_id) as db:
            newest = db.scalar(select(func.max(DataKey.number)).where(DataKey.tenant_id == tenant_id))
        self._keep_key(tenant_id, (newest or 0) + 1, now)

    def _keep_key(self, tenant_id: UUID, number: int, now: datetime) -> None:
        with session_in(self.engine, tenant_id) as db:
            db.execute(
                insert(DataKey)
                .values(
                    tenant_id=tenant_id,
                    number=number,
                    wrapped=wrap_data_key(self.master, tenant_id, number, new_data_key()),
                    master_key_id=self.master.key_id,
                    created_at=now,
                )
                .on_conflict_do_nothing()  # made by somebody else at the same moment: theirs is as good
            )
        with session_in(self.engine, tenant_id) as db:
            self._load(db, tenant_id, now)

    def cipher(self, tenant_id: UUID) -> FieldCipher:
        return self._ciphers[tenant_id][0]

    def open(self, db: Session, tenant_id: UUID, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        cipher = self.cipher(tenant_id)
        if sealed_with(sealed) not in cipher.numbers:  # sealed after a rotation in another process
            cipher = self._load(db, tenant_id, self._ciphers[tenant_id][1]) or cipher
        return cipher.open(table, column, row_id, sealed)

    def rewrap(self, db: Session, tenant_id: UUID, new_master: MasterKey) -> int:
        """Put the practice's data keys under another master key. What they sealed stays as it is."""
        rows = db.execute(select(DataKey.number, DataKey.wrapped).where(DataKey.tenant_id == tenant_id)).all()
        for number, wrapped in rows:
            key = unwrap_data_key(self.master, tenant_id, number, wrapped)
            db.execute(
                update(DataKey)
                .where(DataKey.tenant_id == tenant_id, DataKey.number == number)
                .values(wrapped=wrap_data_key(new_master, tenant_id, number, key), master_key_id=new_master.key_id)
            )
        return len(rows)

    def reseal(self, db: Session, tenant_id: UUID) -> int:
        """Seal again, under the newest key, whatever is still under an older one. Returns how many fields.

        What only grows stays as it was written, and its key stays with it.
        """
        cipher = self.cipher(tenant_id)
        count = 0
        for field in sealed_fields(db, tenant_id, lock=True):
            if sealed_with(field.sealed) != cipher.current:
                table, column, row_id = field.table, field.column, field.row_id
                text = self.open(db, tenant_id, table.name, column, row_id, field.sealed)
                again = {column: cipher.seal(table.name, column, row_id, text)}
                db.execute(update(table).where(table.c.id == row_id, *(rows_of(table, tenant_id) or [])).values(again))
                count += 1
        return count

    def _load(self, db: Session, tenant_id: UUID, now: datetime) -> FieldCipher | None:
        rows = db.execute(
            select(DataKey.number, DataKey.wrapped, DataKey.master_key_id)
            .where(DataKey.tenant_id == tenant_id)
            .order_by(DataKey.number)
        ).all()
        if not rows:
            return None
        strange = {row.master_key_id for row in rows} - {self.master.key_id}
        if strange:
            raise ConfigurationProblem(
                f"The protected fields were sealed under the master key {strange.pop()}, and the one at hand is "
                f"{self.master.key_id}. Name the right key in CASELOAD_MASTER_KEY_FILE or CASELOAD_MASTER_KEY."
            )
        keys = {row.number: unwrap_data_key(self.master, tenant_id, row.number, row.wrapped) for row in rows}
        cipher = FieldCipher(tenant_id, keys, rows[-1].number)
        self._ciphers[tenant_id] = (cipher, now)
        return cipher


def sealed_columns() -> list[tuple[Table, str]]:
    """Every column of every table whose text is sealed."""
    return [
        (table, column.name) for table in every_table() for column in table.columns if isinstance(column.type, Sealed)
    ]


class SealedField(NamedTuple):
    table: Table
    column: str
    row_id: UUID
    sealed: bytes


def sealed_fields(db: Session, tenant_id: UUID, *, lock: bool = False) -> Iterator[SealedField]:
    """Everything that this practice's keys seal, read in portions so that memory does not grow with it."""
    for table, column in sealed_columns():
        mine = rows_of(table, tenant_id)
        if mine is None or (lock and not db.scalar(MAY_CHANGE, {"table": table.name})):
            continue
        query = select(table.c.id, table.c[column]).where(table.c[column].is_not(None), *mine).order_by(table.c.id)
        after: list[Any] = []
        while rows := db.execute((query.with_for_update() if lock else query).where(*after).limit(PORTION)).all():
            yield from (SealedField(table, column, row_id, sealed) for row_id, sealed in rows)
            after = [table.c.id > rows[-1][0]]


def rows_of(table: Table, tenant_id: UUID) -> list | None:
    """Conditions for the rows that this practice's key seals; None when it seals none in that table.

    A practice's own row is sealed by its own key, an account by the key of the installation.
    """
    if "tenant_id" in table.c:
        return [table.c.tenant_id == tenant_id]
    if table.name == "practices":
        return [table.c.id == tenant_id]
    return [] if tenant_id == NOBODY else None
