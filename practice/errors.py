"""How the practice says no: errors that are sentences for the person who meets them."""

from typing import Any, ClassVar


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
