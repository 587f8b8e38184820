"""Builders of analysts' logins, removed with the test: roles belong to the whole server."""

from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

import psycopg

from practice.security.analysts import AnalystCredentials, begin_administrator_work, create_analyst
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.people import NOW
from tests.support.harness import cluster

OPTIONS = "-c default_transaction_read_only=off -c search_path=public"


@contextmanager
def make_analysts(installation: Installation, *tenant_ids: UUID) -> Generator[list[AnalystCredentials]]:
    """Yield a login for each practice."""
    created: list[AnalystCredentials] = []
    try:
        for tenant_id in tenant_ids:
            with begin_administrator_work(installation, Actor(tenant_id), NOW) as work:
                created.append(create_analyst(work, "Nina"))
        yield created
    finally:
        with cluster.connect_as_superuser() as connection:
            for credentials in created:
                connection.execute(f"drop role if exists {credentials.login}")


def connect_analyst(installation: Installation, credentials: AnalystCredentials) -> psycopg.Connection:
    """Connect as an analyst who has switched off that transactions are read-only and names are those of marts."""
    place = cluster.get_server().build_conninfo("app", installation.store.database)
    login = {"user": credentials.login, "password": credentials.password}
    return psycopg.connect(**place | login, autocommit=True, options=OPTIONS)
