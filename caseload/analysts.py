"""Logins of analysts: `caseload analyst`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from caseload.console import AsJson, PracticeName, connect_installation, find_practice_actor, now, out, print_result

if TYPE_CHECKING:
    from practice.security.analysts import AnalystCredentials
    from practice.security.installation import Installation

analyst_app = typer.Typer(no_args_is_help=True, help="Database logins of people who analyze a practice.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")]


@analyst_app.command("create")
def create(practice: PracticeName, name: Name, as_json: AsJson = False) -> None:
    """Create a login that reads the marts of one practice. Print it with its password, once.

    Example: caseload analyst create oak-street Nina
    """
    from practice.security.analysts import begin_administrator_work, create_analyst

    with connect_installation() as installation:
        actor = find_practice_actor(installation, practice)
        with begin_administrator_work(installation, actor, now()) as work:
            credentials = create_analyst(work, name)
        installation.anchor_audit(now())
        document = describe_connection(installation, credentials)

    def print_text() -> None:
        out.print(f"Created a login for {name}. The password is shown only now.\n", markup=False)
        for label, key in (("Login", "login"), ("Password", "password"), ("Connect", "command")):
            out.print(f"{label:<10}{document[key]}", markup=False)

    print_result(document, as_json, print_text)


def describe_connection(installation: "Installation", credentials: "AnalystCredentials") -> dict[str, Any]:
    """Return how to connect with a login, as a JSON document."""
    parameters = installation.store.build_connection_parameters("app")
    place = {key: parameters[key] for key in ("host", "port", "dbname")}
    words = " ".join(f"{key}={value}" for key, value in (place | {"user": credentials.login}).items())
    return {**credentials._asdict(), **place, "command": f'psql "{words}"'}


@analyst_app.command("list")
def list_logins(practice: PracticeName, as_json: AsJson = False) -> None:
    """List the analysts of a practice.

    Example: caseload analyst list oak-street
    """
    from practice.security.analysts import list_analysts

    with (
        connect_installation() as installation,
        installation.work(find_practice_actor(installation, practice), now()) as work,
    ):
        analysts = list_analysts(work)

    def print_table() -> None:
        table = Table("Name", "Login", "Created")
        for analyst in analysts:
            table.add_row(escape(analyst.name), analyst.login, f"{analyst.created_at:%Y-%m-%d}")
        out.print(table)

    document = [{"name": a.name, "login": a.login, "created_at": a.created_at} for a in analysts]
    print_result(document, as_json, print_table)


@analyst_app.command("remove")
def remove(practice: PracticeName, name: Name) -> None:
    """End the sessions of an analyst, and remove the login.

    Example: caseload analyst remove oak-street Nina
    """
    from practice.security.analysts import remove_analyst

    with connect_installation() as installation:
        remove_analyst(installation, find_practice_actor(installation, practice), name, now())
        installation.anchor_audit(now())
    out.print(f"Removed the login of {name}.", markup=False)
