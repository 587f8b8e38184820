"""The server process of the pages."""

from typing import TYPE_CHECKING

from caseload.service_process import ServiceProcess, answers, refuse_taken_port

if TYPE_CHECKING:
    from practice.security.doctor import Finding
    from practice.security.installation import Installation


class DashboardsProcess(ServiceProcess):
    """The process that serves the sign-in and the pages."""

    name, title, server = "dashboards", "the pages", "dashboards.server"

    @property
    def url(self) -> str:
        return f"http://{self.settings.dashboards_host}:{self.settings.dashboards_port}"

    def start(self) -> None:
        """Start the process, without waiting for it. The caller checks that it is not running."""
        host, port = self.settings.dashboards_host, self.settings.dashboards_port
        refuse_taken_port(host, port, "CASELOAD_DASHBOARDS_PORT")
        self.launch(
            {
                "CASELOAD_DASHBOARDS_HOST": host,
                "CASELOAD_DASHBOARDS_PORT": str(port),
                "CASELOAD_API_URL": self.settings.api_url,
                "CASELOAD_PUBLIC_URL": self.settings.public_url,
            }
        )

    def is_ready(self) -> bool:
        return answers(f"{self.url}/health")


def examine_dashboards(installation: "Installation") -> "Finding":
    """Return whether the pages are served, if they were started."""
    from practice.security.doctor import Finding

    process = DashboardsProcess(installation.settings)
    if process.read_record() is None:
        return Finding("dashboards", True, "The pages are not served here.")
    if process.is_ready():
        return Finding("dashboards", True, f"The pages are served at {installation.settings.public_url}.")
    if process.find_running() is not None:
        return Finding("dashboards", True, f"The pages are starting. If it goes on, see its log: {process.log}")
    return Finding("dashboards", False, f"The pages are not served. Run `caseload up`, or see its log: {process.log}")
