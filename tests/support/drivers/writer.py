"""A process that writes without rest, each time with a key of its own, and repeats what was not acknowledged."""

import os
import sys
import time
from datetime import date
from pathlib import Path
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api.idempotency import replay_or_reserve, store_response
from practice.errors import StoreProblem
from practice.people.trainings import record_training
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.settings import Settings
from practice.store.store import Store
from tests.support.builders.people import NOW


def main(name: str, tenant_id: UUID, account_id: UUID, staff_id: UUID, acknowledged: Path, stop: Path) -> None:
    settings = Settings()
    installation = Installation(settings, Store(settings.data_dir, pool_size=2))
    number = 0
    with acknowledged.open("ab", buffering=0) as file:
        while not stop.exists():
            number += 1
            key = f"{name}-{number}"
            attempts = 1
            if number % 3 == 0:  # as if the answer had been lost on its way; a kill rarely hits that moment
                written(installation, Actor(tenant_id, account_id, staff_id, request_id=key), key)
            while not written(installation, Actor(tenant_id, account_id, staff_id, request_id=key), key):
                attempts += 1
                time.sleep(0.01)
            file.write(f"{key} {attempts} {time.monotonic()}\n".encode())
    installation.store.close()


def written(installation: Installation, actor: Actor, key: str) -> bool:
    """Whether the write was acknowledged. If not, nobody knows whether it happened."""
    try:
        with installation.work(actor, NOW) as work:
            if replay_or_reserve(work, key, b"the same each time") is None:
                assert actor.staff_id is not None
                record_training(work, actor.staff_id, Scope.ALL, "OTHER", date(2026, 1, 5))
                store_response(work, key, Response(b"{}", 201))
    except (SQLAlchemyError, StoreProblem):
        return False
    return True


if __name__ == "__main__":
    who, practice, account, staff, acknowledged_file, stop_file = sys.argv[1:]
    os.environ["CASELOAD_MASTER_KEY"] = sys.stdin.readline().strip()
    main(who, UUID(practice), UUID(account), UUID(staff), Path(acknowledged_file), Path(stop_file))
