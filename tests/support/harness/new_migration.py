"""The command that writes the next migration from the models: `make migration m="what it does"`."""

import sys

from alembic import command

from practice.store.migrate import list_revisions, make_alembic_config, migrate
from practice.store.store import Store
from tests.support.harness import cluster
from tests.support.harness.models import load_metadata


def main(message: str) -> None:
    cluster.create_folder()
    try:
        store = Store(cluster.get_server().data_dir)
        store.make_roles()
        with store.open_owner_connection("owner") as connection:
            migrate(connection)
            config = make_alembic_config(connection, load_metadata())
            command.revision(config, message, autogenerate=True, rev_id=f"{len(list_revisions()) + 1:04}")
    finally:
        cluster.remove_folder()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit('Describe the migration: make migration m="what it does"')
    main(sys.argv[1])
