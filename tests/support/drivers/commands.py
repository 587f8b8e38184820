"""The result of a command that a test ran."""

import json
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class CommandResult:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


RunCommand = Callable[..., CommandResult]
