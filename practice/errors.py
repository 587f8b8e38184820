"""The base errors of Caseload, with messages written for the person who reads them."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple


class CaseloadError(Exception):
    """An error whose message says what is wrong and what to do. Never carries a sensitive value."""

    code: ClassVar[str] = "PROBLEM"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Refusal(CaseloadError):
    """A request that a rule of the practice rejects, with a stable code and an HTTP status."""

    status: ClassVar[int] = 409


class StoreProblem(CaseloadError):
    """The database cannot be used: it is unreachable, too old, partly migrated, or another program's.

    Fix: run `caseload doctor`, and correct what it reports.
    """

    code = "SERVICE_UNAVAILABLE"
    status = 503


class ConfigurationProblem(CaseloadError):
    """A setting is missing or unsafe, so Caseload does not start.

    Fix: correct the setting that the message names.
    """

    code = "CONFIGURATION"


class NotFound(Refusal):
    """The record does not exist, or the caller may not see it. The API does not distinguish the two.

    Fix: check the id and the roles of your account.
    """

    code = "NOT_FOUND"
    status = 404

    def __init__(self) -> None:
        super().__init__("Not found: it does not exist, or you may not see it. Check the id or code.")


class FieldProblem(NamedTuple):
    """What is wrong with a field of a request, by the name that the caller sent. Items of a list count from 1."""

    field: str
    message: str


class Invalid(Refusal):
    """The input is invalid; `details` lists each problem with its field. Items of a list count from 1.

    Fix: correct the fields in `details`, and send the request again.
    """

    code = "VALIDATION_ERROR"
    status = 422

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(" ".join(dict.fromkeys(problem.message for problem in problems)))
        self.problems = problems


class Stale(Refusal):
    """The record has changed since the caller read it.

    Fix: read it again, and repeat the change with its new `ETag`.
    """

    code = "STALE"
    status = 412

    def __init__(self) -> None:
        super().__init__("This record has changed since you loaded it. Reload it and repeat your change.")


class Problem(NamedTuple):
    """A reason against a request: a stable code and a message."""

    code: str
    message: str
