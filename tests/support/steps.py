"""The steps of a state machine, each of whose parameters is drawn from the choices for its name: by Hypothesis, or
evenly by chance for a practice that gets far."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule


class Steps:
    def __init__(self, choices: Mapping[str, Sequence[Any]]) -> None:
        self.choices = choices
        self.all: dict[str, list[str]] = {}  # by name, their parameters

    def __call__(self, step: Callable[..., None]) -> Any:
        drawn = [name for name in inspect.signature(step).parameters if name != "self"]
        self.all[step.__name__] = drawn
        return rule(**{name: st.sampled_from(self.choices[name]) for name in drawn})(step)

    def take(self, machine: Any, name: str, random: Random) -> None:
        getattr(machine, name)(**{drawn: random.choice(self.choices[drawn]) for drawn in self.all[name]})
