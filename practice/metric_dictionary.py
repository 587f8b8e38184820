"""The metric dictionary: every metric with its definition. The definitions live in the warehouse project."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

BOUNDS = {
    "target_at_least": "reaches its benchmark from this value on",
    "target_at_most": "reaches its benchmark up to this value",
    "target_below": "reaches its benchmark below this value",
    "alert_below": "raises an alert below this value",
    "alert_above": "raises an alert above this value",
}
"""The benchmarks and alert thresholds that a metric can have, in words."""


@dataclass(frozen=True)
class Metric:
    """A metric as its files in the warehouse project define it."""

    key: str
    label: str
    formula: str
    category: str
    owner: str
    direction: Literal["higher", "lower"]
    unit: str
    shape: Literal["dated", "state", "period"]
    row_kind: str
    counted: str
    not_counted: str = ""
    value: str = "percent"
    decimals: int = 2
    numerator_scale: int = 1
    denominator_scale: int = 1
    entities: str = "all"
    periods: str = "all"
    action: str = ""
    target_at_least: int | None = None
    target_at_most: int | None = None
    target_below: int | None = None
    alert_below: int | None = None
    alert_above: int | None = None
    target_setting: str | None = None
    divisor: str | None = None
    fact: str | None = None
    date: str | None = None
    among: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    late_sums: str | None = None
    window: str | None = None

    @property
    def bounds(self) -> dict[str, int]:
        """Return the default benchmarks and thresholds by name."""
        values = {name: getattr(self, name) for name in BOUNDS}
        return {name: value for name, value in values.items() if value is not None}


@cache
def load_metrics() -> Mapping[str, Metric]:
    """Return the metrics by key, in the order of their keys."""
    rows: list[dict[str, Any]] = json.loads(files("practice").joinpath("metric_dictionary.json").read_text())
    return MappingProxyType({row["key"]: Metric(**row) for row in rows})


METRICS = load_metrics()
