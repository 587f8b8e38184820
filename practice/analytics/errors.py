"""Refusals of the warehouse and its metrics."""

from practice.errors import Refusal


class NoRefresh(Refusal):
    """No values have been computed for this practice yet.

    Fix: run `caseload refresh` for it.
    """

    code = "NO_REFRESH"

    def __init__(self) -> None:
        super().__init__("No values have been computed for this practice yet. Run `caseload refresh` for it.")


class RefreshRunning(Refusal):
    """Another refresh of this practice is running.

    Fix: wait until it ends, and try again.
    """

    code = "REFRESH_RUNNING"

    def __init__(self) -> None:
        super().__init__("Another refresh of this practice is running. Wait until it ends, and try again.")


class UnknownMetric(Refusal):
    """The metric does not exist.

    Fix: use one of the keys that the message lists.
    """

    code = "UNKNOWN_METRIC"
    status = 422
