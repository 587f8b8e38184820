"""Writes the next migration from the models: `make migration m="what it does"`."""

import sys

from alembic import command

from practice.store.migrate import alembic_config, known_revisions, migrate
from practice.store.store import Store
from tests.support.harness import cluster
from tests.support.harness.models import everything


def main(message: str) -> None:
    cluster.make_folder()
    try:
        store = Store(cluster.server().data_dir)
        store.make_roles()
        with store.owner_connection("owner") as connection:
            migrate(connection)
            config = alembic_config(connection, everything())
            command.revision(config, message, autogenerate=True, rev_id=f"{len(known_revisions()) + 1:04}")
    finally:
        cluster.remove_folder()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit('Say what it does: make migration m="what it does"')
    main(sys.argv[1])
