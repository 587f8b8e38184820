"""Steps of state machines, whose parameters are drawn from the choices for their names, and two ways to run them.

Both ways are deterministic in normal runs; CASELOAD_LONG=1 runs many thousands of steps more.
"""

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
    """The registered steps of a state machine, used as a decorator."""

    def __init__(self, choices: Mapping[str, Sequence[Any]], weights: Mapping[str, int] | None = None) -> None:
        self.choices, self.weights = choices, weights or {}  # the default weight is 1
        self.parameters: dict[str, list[str]] = {}  # parameter names by step name

    def __call__(self, step: Callable[..., None]) -> Any:
        drawn = [name for name in inspect.signature(step).parameters if name != "self"]
        self.parameters[step.__name__] = drawn
        return rule(**{name: st.sampled_from(self.choices[name]) for name in drawn})(step)

    def run_randomly(self, machine: Any, random: Random, steps: int) -> Iterator[str]:
        """Run random steps by their weights, which gets further than Hypothesis does, and yield each name."""
        for name in random.choices(
            list(self.parameters), [self.weights.get(name, 1) for name in self.parameters], k=steps
        ):
            getattr(machine, name)(**{drawn: random.choice(self.choices[drawn]) for drawn in self.parameters[name]})
            yield name


def run_with_hypothesis(machine: type[RuleBasedStateMachine], examples: int, steps: int) -> None:
    """Run a machine with Hypothesis, which searches for a short failing sequence."""
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate] if LONG else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=profile)


def print_counts(counts: Counter[str]) -> None:
    print(f"{sum(counts.values())} steps: {dict(sorted(counts.items()))}")  # noqa: T201 - read with -s
