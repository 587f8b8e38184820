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


class TooManyValues(Refusal):
    """More values match than one response can hold.

    Fix: ask for fewer periods, metrics or entities.
    """

    code = "TOO_MANY_VALUES"
    status = 422

    def __init__(self) -> None:
        super().__init__("Too many values match. Ask for fewer periods, metrics or entities.")


class NoSuchValue(Refusal):
    """There is no such value, or the caller may not see it.

    Fix: choose an entity and a period from the published values.
    """

    code = "NO_SUCH_VALUE"
    status = 404

    def __init__(self) -> None:
        super().__init__("There is no such value. Choose an entity and a period from the published values.")


class RowsUnavailable(Refusal):
    """The rows behind the published values are not at hand, or the values have been refreshed since the page before.

    Fix: after a refresh, begin again with the first page; otherwise wait for the next refresh.
    """

    code = "ROWS_UNAVAILABLE"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            "The rows behind these values are not available right now. Wait for the next refresh, "
            "and begin again with the first page."
        )
