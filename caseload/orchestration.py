"""Dagster on the command line: its processes, its database, and a link to its page."""

from typing import TYPE_CHECKING

from caseload.console import connect_installation, now, out, read_settings
from caseload.service_process import ServiceProcess, answers, refuse_taken_port
from practice.errors import StoreProblem

if TYPE_CHECKING:
    from practice.security.doctor import Finding
    from practice.security.installation import Installation

SERVER = "orchestration.supervisor"


class DagsterProcess(ServiceProcess):
    """The process that keeps Dagster's code server, page and daemon running."""

    name, title, server = "dagster", "Dagster", SERVER
    stop_seconds = 25

    @property
    def url(self) -> str:
        return self.settings.dagster_url

    @property
    def is_configured(self) -> bool:
        """Return whether Dagster has a database: its own on a server, or one in the embedded server."""
        return self.settings.database_dagster_url is not None or self.settings.database_url is None

    def start(self, database_url: str) -> None:
        """Start the process, without waiting for Dagster. The caller checks that it is not running."""
        refuse_taken_port(self.settings.dagster_host, self.settings.dagster_port, "CASELOAD_DAGSTER_PORT")
        variables = {
            "DATABASE_DAGSTER_URL": database_url,
            "CASELOAD_DAGSTER_HOST": self.settings.dagster_host,
            "CASELOAD_DAGSTER_PORT": str(self.settings.dagster_port),
        }
        self.launch(variables)

    def is_ready(self) -> bool:
        return answers(f"{self.url}/enter")


def prepare_dagster_database(installation: "Installation") -> str | None:
    """Return the URL of Dagster's database, and create it if it is missing: on a server only with its owner's login."""
    from practice.store.own_databases import prepare_embedded_database, prepare_server_database

    settings = installation.settings
    if settings.database_dagster_url is None:
        return prepare_embedded_database(installation.store, "dagster") if installation.store.embedded else None
    url = settings.database_dagster_url.get_secret_value()
    if settings.database_owner_url is not None:
        prepare_server_database(installation.store, url)
    return url


def print_dagster_link() -> None:
    """Print a link that opens Dagster's page once.

    It works within a minute, on this machine.

    Example: caseload dagster
    """
    from practice.security.dagster_tickets import issue_ticket
    from practice.security.work import Actor

    dagster = DagsterProcess(read_settings())
    if not dagster.is_ready():
        running = dagster.find_running() is not None
        raise StoreProblem(
            f"Dagster is still starting. Try again, or see its log: {dagster.log}"
            if running
            else "Dagster is not running. Start it with `caseload up`."
        )
    with connect_installation() as installation, installation.work(Actor(), now()) as work:
        ticket = issue_ticket(work)
    out.print(f"{dagster.url}/enter#{ticket}", markup=False)


def examine_dagster(installation: "Installation") -> "Finding":
    """Return whether Dagster runs, if it was started, and whether all values are as fresh as it keeps them."""
    from practice.analytics.published import check_published_values
    from practice.analytics.refreshes import list_active_practices
    from practice.security.doctor import Finding
    from practice.text import format_count

    dagster = DagsterProcess(installation.settings)
    if dagster.read_record() is None:
        return Finding("dagster", True, "Dagster is not started here.")
    if not dagster.is_ready():
        if dagster.find_running() is not None:
            return Finding("dagster", True, f"Dagster is starting. If it goes on, see its log: {dagster.log}")
        return Finding("dagster", False, f"Dagster has stopped. Run `caseload up`, or see its log: {dagster.log}")
    values = check_published_values(installation.store, list_active_practices(installation.store), now())
    outdated = sum(value.outdated for value in values)
    if outdated:
        return Finding(
            "dagster",
            False,
            f"{outdated} of {len(values)} practices have metrics older than two hours. "
            "Open the last run with `caseload dagster`.",
        )
    practices = format_count(len(values), "practice")
    return Finding("dagster", True, f"Dagster runs, and the metrics of {practices} are up to date.")
