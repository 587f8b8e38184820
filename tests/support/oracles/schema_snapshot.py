"""The snapshot of the schema that a migrated database must have.

    python -m tests.support.oracles.schema_snapshot > practice/store/schema.txt

updates it after a new migration, so that differences are readable.
"""

import sys

import psycopg

from practice.store.schema import CATALOG, format_lines
from tests.support.harness import cluster


def describe(connection: psycopg.Connection) -> str:
    return "".join(f"{line}\n" for line in format_lines(row for (row,) in connection.execute(CATALOG)))


def main() -> None:
    """On a cluster of its own, which is gone afterwards."""
    cluster.create_folder()
    try:
        cluster.prepare_template()
        cluster.copy_template("described")
        with cluster.connect_as_superuser("described") as connection:
            sys.stdout.write(describe(connection))
    finally:
        cluster.remove_folder()


if __name__ == "__main__":
    main()
