"""The steps of a state machine, each of whose parameters is drawn from the choices for its name; and how a machine is
lived. Both ways are the same in every normal run; CASELOAD_LONG=1 lives for many thousands of steps more."""

import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

LONG = bool(os.environ.get("CASELOAD_LONG"))


class Steps:
    def __init__(self, choices: Mapping[str, Sequence[Any]], weights: Mapping[str, int] | None = None) -> None:
        self.choices, self.weights = choices, weights or {}  # of a step without a weight it is 1
        self.all: dict[str, list[str]] = {}  # by name, their parameters

    def __call__(self, step: Callable[..., None]) -> Any:
        drawn = [name for name in inspect.signature(step).parameters if name != "self"]
        self.all[step.__name__] = drawn
        return rule(**{name: st.sampled_from(self.choices[name]) for name in drawn})(step)

    def live(self, machine: Any, random: Random, steps: int) -> Iterator[str]:
        """A busy life, which mixes all steps by their weights and gets far: by chance, one step after the other."""
        for name in random.choices(list(self.all), [self.weights.get(name, 1) for name in self.all], k=steps):
            getattr(machine, name)(**{drawn: random.choice(self.choices[drawn]) for drawn in self.all[name]})
            yield name


def live_shortly(machine: type[RuleBasedStateMachine], lives: int, steps: int) -> None:
    """Hypothesis looks for a short life that goes wrong, and likes to repeat itself."""
    lived = settings(
        max_examples=lives,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate] if LONG else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=lived)


def tell(done: Counter[str]) -> None:
    print(f"{sum(done.values())} steps: {dict(sorted(done.items()))}")  # noqa: T201 - read with -s
