"""The practices' data keys: created, wrapped by the master key, cached in memory, rotated."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Engine, Table, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from practice.errors import ConfigurationProblem
from practice.security.encryption import (
    FieldCipher,
    MasterKey,
    generate_data_key,
    read_key_number,
    unwrap_data_key,
    wrap_data_key,
)
from practice.security.models import DataKey
from practice.store.base import Sealed, load_tables
from practice.store.engine import begin_session
from practice.store.ids import SYSTEM_TENANT

BATCH_ROWS = 1000  # rows at a time
CAN_UPDATE_SQL = text("select has_table_privilege(:table, 'update')")
RELOAD_INTERVAL = timedelta(minutes=1)  # a rotation in another process takes effect here within a minute


class WrongMasterKey(ConfigurationProblem):
    """The configured master key is not the one of this installation, so nothing that is encrypted can be read.

    Fix: configure the right key, or finish an interrupted rotation, and start the service again.
    """

    code = "SERVICE_UNAVAILABLE"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "The configured master key is not the one that encrypts this installation. Set the right one in "
            "CASELOAD_MASTER_KEY_FILE or CASELOAD_MASTER_KEY, or finish an interrupted `caseload keys rotate-master`."
        )


class KeyRing:
    """The data keys that this process has used so far, shared by its threads.

    A key is used only after it is committed: text sealed with a key that is rolled back would be lost.
    """

    def __init__(self, engine: Engine, master: MasterKey) -> None:
        self.engine = engine
        self.master = master
        self._ciphers: dict[UUID, tuple[FieldCipher, datetime]] = {}

    def ensure_keys(self, tenant_id: UUID, now: datetime) -> None:
        """Load the practice's keys and create the first one if missing, before its transaction begins."""
        cached = self._ciphers.get(tenant_id)
        if cached is not None and now - cached[1] < RELOAD_INTERVAL:
            return
        with begin_session(self.engine, tenant_id) as db:
            cipher = self._load(db, tenant_id, now)
        if cipher is None:
            if tenant_id != SYSTEM_TENANT:
                self.ensure_keys(SYSTEM_TENANT, now)  # its key proves that this is the right master key
            self._store_key(tenant_id, 1, now)

    def require_right_master(self, tenant_id: UUID) -> None:
        """Raise WrongMasterKey when another master key wrapped a data key of the practice."""
        foreign = exists().where(DataKey.tenant_id == tenant_id, DataKey.master_key_id != self.master.key_id)
        with begin_session(self.engine, tenant_id) as db:
            if db.scalar(select(foreign)):
                raise WrongMasterKey

    def add_key(self, tenant_id: UUID, now: datetime) -> None:
        """Create a data key for everything sealed from now on. The older ones stay for reading."""
        with begin_session(self.engine, tenant_id) as db:
            newest = db.scalar(select(func.max(DataKey.number)).where(DataKey.tenant_id == tenant_id))
        self._store_key(tenant_id, (newest or 0) + 1, now)

    def _store_key(self, tenant_id: UUID, number: int, now: datetime) -> None:
        with begin_session(self.engine, tenant_id) as db:
            db.execute(
                insert(DataKey)
                .values(
                    tenant_id=tenant_id,
                    number=number,
                    wrapped=wrap_data_key(self.master, tenant_id, number, generate_data_key()),
                    master_key_id=self.master.key_id,
                    created_at=now,
                )
                .on_conflict_do_nothing()  # another process created it at the same moment
            )
        with begin_session(self.engine, tenant_id) as db:
            self._load(db, tenant_id, now)

    def get_cipher(self, tenant_id: UUID) -> FieldCipher:
        return self._ciphers[tenant_id][0]

    def open(self, db: Session, tenant_id: UUID, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        """Return the text of a sealed field. Loads the keys again if a newer one sealed it."""
        cipher = self.get_cipher(tenant_id)
        if read_key_number(sealed) not in cipher.key_numbers:  # sealed after a rotation in another process
            cipher = self._load(db, tenant_id, self._ciphers[tenant_id][1]) or cipher
        return cipher.open(table, column, row_id, sealed)

    def rewrap(self, db: Session, tenant_id: UUID, new_master: MasterKey) -> int:
        """Wrap the practice's data keys with another master key and return how many. Sealed fields stay as they are."""
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
        """Seal all fields of older keys again with the newest one, and return how many.

        Rows that cannot be updated keep their seal, so the older keys stay.
        """
        cipher = self.get_cipher(tenant_id)
        count = 0
        for field in read_sealed_fields(db, tenant_id, lock=True):
            if read_key_number(field.sealed) != cipher.current_key_number:
                table, column, row_id = field.table, field.column, field.row_id
                text = self.open(db, tenant_id, table.name, column, row_id, field.sealed)
                values = {column: cipher.seal(table.name, column, row_id, text)}
                db.execute(
                    update(table)
                    .where(table.c.id == row_id, *(find_row_conditions(table, tenant_id) or []))
                    .values(values)
                )
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
        if {row.master_key_id for row in rows} != {self.master.key_id}:
            raise WrongMasterKey
        keys = {row.number: unwrap_data_key(self.master, tenant_id, row.number, row.wrapped) for row in rows}
        cipher = FieldCipher(tenant_id, keys, rows[-1].number)
        self._ciphers[tenant_id] = (cipher, now)
        return cipher


def list_sealed_columns() -> list[tuple[Table, str]]:
    """Return every sealed column of every table."""
    return [
        (table, column.name) for table in load_tables() for column in table.columns if isinstance(column.type, Sealed)
    ]


class SealedField(NamedTuple):
    """A sealed value and where it is stored."""

    table: Table
    column: str
    row_id: UUID
    sealed: bytes


def read_sealed_fields(db: Session, tenant_id: UUID, *, lock: bool = False) -> Iterator[SealedField]:
    """Yield every field that the practice's keys seal, read in batches to bound memory."""
    for table, column in list_sealed_columns():
        conditions = find_row_conditions(table, tenant_id)
        if conditions is None or (lock and not db.scalar(CAN_UPDATE_SQL, {"table": table.name})):
            continue
        query = (
            select(table.c.id, table.c[column]).where(table.c[column].is_not(None), *conditions).order_by(table.c.id)
        )
        after: list[Any] = []
        while rows := db.execute((query.with_for_update() if lock else query).where(*after).limit(BATCH_ROWS)).all():
            yield from (SealedField(table, column, row_id, sealed) for row_id, sealed in rows)
            after = [table.c.id > rows[-1][0]]


def find_row_conditions(table: Table, tenant_id: UUID) -> list | None:
    """Return the conditions of the rows that this practice's keys seal, or None if they seal none in the table.

    A practice's own row is sealed with its own key, an account with the key of the installation.
    """
    if "tenant_id" in table.c:
        return [table.c.tenant_id == tenant_id]
    if table.name == "practices":
        return [table.c.id == tenant_id]
    return [] if tenant_id == SYSTEM_TENANT else None
