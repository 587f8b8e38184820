"""How the practice says no: errors that are sentences for the person who meets them."""

from typing import Any, ClassVar, NamedTuple


class CaseloadError(Exception):
    """One sentence about what is wrong and one about what to do. Never carries a sensitive value."""

    code: ClassVar[str] = "PROBLEM"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Refusal(CaseloadError):
    """A rule of the practice says no. Each refusal has a stable code and the HTTP status that it answers with."""

    status: ClassVar[int] = 409


class StoreProblem(CaseloadError):
    """The database cannot be used as it is: unreachable, too old, half migrated, somebody else's."""

    code = "SERVICE_UNAVAILABLE"
    status = 503


class ConfigurationProblem(CaseloadError):
    """A setting is missing or unsafe; nothing starts before it is right."""

    code = "CONFIGURATION"


class NotFound(Refusal):
    code = "NOT_FOUND"
    status = 404

    def __init__(self) -> None:
        super().__init__("There is nothing here with this id, or it is not yours to see.")


class Invalid(Refusal):
    """Everything that is wrong with what was sent, at once."""

    code = "VALIDATION_ERROR"
    status = 422

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems), problems=problems)


class Stale(Refusal):
    code = "STALE"
    status = 412

    def __init__(self) -> None:
        super().__init__("Somebody changed this since you read it. Read it again and repeat your change.")


class Problem(NamedTuple):
    code: str
    sentence: str
