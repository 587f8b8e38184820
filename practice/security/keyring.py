"""The practices' data keys: made, wrapped by the master key, kept unwrapped in memory, rotated."""

import secrets
from datetime import datetime
from threading import Lock
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from practice.errors import ConfigurationProblem
from practice.security.encryption import FieldCipher, MasterKey, sealed_with, unwrap_data_key, wrap_data_key
from practice.security.models import DataKey
from practice.store.base import Base, Sealed
from practice.store.ids import NOBODY


class KeyRing:
    """All data keys that this process has needed so far. Shared by its threads."""

    def __init__(self, master: MasterKey) -> None:
        self.master = master
        self._ciphers: dict[UUID, FieldCipher] = {}
        self._lock = Lock()

    def cipher(self, db: Session, tenant_id: UUID, now: datetime) -> FieldCipher:
        """The practice's cipher, with a first key made for it when it has none. The session is in that practice."""
        return self._ciphers.get(tenant_id) or self._load(db, tenant_id) or self.add_key(db, tenant_id, now)

    def open(self, db: Session, tenant_id: UUID, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        cipher = self._ciphers.get(tenant_id)
        if cipher is None or sealed_with(sealed) not in cipher.numbers:  # sealed after a rotation elsewhere
            cipher = self._load(db, tenant_id)
        if cipher is None:
            raise ConfigurationProblem("This practice has no data key, so its protected fields cannot be read. Restore a backup.")
        return cipher.open(table, column, row_id, sealed)

    def add_key(self, db: Session, tenant_id: UUID, now: datetime) -> FieldCipher:
        """A new data key, used for everything sealed from now on."""
        newest = db.scalar(select(DataKey.number).where(DataKey.tenant_id == tenant_id).order_by(DataKey.number.desc()).limit(1))
        number = (newest or 0) + 1
        wrapped = wrap_data_key(self.master, tenant_id, number, secrets.token_bytes(32))
        db.execute(
            upsert(DataKey)
            .values(tenant_id=tenant_id, number=number, wrapped=wrapped, master_key_id=self.master.key_id, created_at=now)
            .on_conflict_do_nothing()  # somebody else made the same number at the same moment: theirs is as good
        )
        cipher = self._load(db, tenant_id)
        assert cipher is not None  # noqa: S101 - the row is there, by us or by them
        return cipher

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

    def reseal(self, db: Session, tenant_id: UUID, now: datetime) -> int:
        """Seal again, under the newest key, whatever is still under an older one. Returns how many fields."""
        cipher = self._load(db, tenant_id) or self.add_key(db, tenant_id, now)
        count = 0
        for table, column in sealed_columns():
            owner = owner_column(table)
            if owner is None and tenant_id != NOBODY:
                continue
            query = select(table.c.id, table.c[column]).where(table.c[column].is_not(None))
            query = query if owner is None else query.where(table.c[owner] == tenant_id)
            for row_id, sealed in db.execute(query.with_for_update()).all():
                if sealed_with(sealed) != cipher.current:
                    text = cipher.open(table.name, column, row_id, sealed)
                    change = update(table).where(table.c.id == row_id)
                    change = change if owner is None else change.where(table.c[owner] == tenant_id)
                    db.execute(change.values({column: cipher.seal(table.name, column, row_id, text)}))
                    count += 1
        return count

    def _load(self, db: Session, tenant_id: UUID) -> FieldCipher | None:
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
                f"The protected fields were sealed under the master key {strange.pop()}, and this is {self.master.key_id}. "
                "Name the right key in CASELOAD_MASTER_KEY_FILE or CASELOAD_MASTER_KEY."
            )
        keys = {row.number: unwrap_data_key(self.master, tenant_id, row.number, row.wrapped) for row in rows}
        cipher = FieldCipher(tenant_id, keys, rows[-1].number)
        with self._lock:
            self._ciphers[tenant_id] = cipher
        return cipher


def sealed_columns() -> list[tuple[Table, str]]:
    """Every column of every table whose text is sealed."""
    return [
        (table, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed)
    ]


def owner_column(table: Table) -> str | None:
    """The column that says whose data key sealed a row: none for accounts, which belong to the installation."""
    if "tenant_id" in table.c:
        return "tenant_id"
    return "id" if table.name == "practices" else None
