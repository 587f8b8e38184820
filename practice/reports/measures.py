"""The measures of reports: the metrics, and sums of money, claims and clients; and what they can be grouped by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from practice.metric_dictionary import METRICS, Metric

Source = Literal["metrics", "postings", "charges", "claims", "clients"]
Group = Literal["total", "clinician", "team", "code", "payer", "age", "sex"]

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "total": "All together",
        "clinician": "Clinician",
        "team": "Team",
        "code": "Service code",
        "payer": "Payer",
        "age": "Age group",
        "sex": "Gender",
    }
)
GROUPS_OF_SOURCES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "metrics": frozenset(("total", "clinician", "team")),
        "postings": frozenset(("total", "clinician", "code", "payer")),
        "charges": frozenset(("total", "clinician", "code", "payer")),
        "claims": frozenset(("total", "clinician", "payer")),
        "clients": frozenset(("total", "age", "sex", "payer")),
    }
)
GROUPS_OF_METRICS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "all": GROUPS_OF_SOURCES["metrics"],
        "practice": frozenset(("total",)),
        "above_clinician": frozenset(("total", "team")),
        "clinician": frozenset(("clinician",)),
    }
)


@dataclass(frozen=True)
class Measure:
    """A column of a report. Its numerator and denominator are sums, named after what the source counts.

    `denominator` is `all` for a share of the whole period.
    """

    key: str
    label: str
    about: str
    unit: str
    source: Source
    groups: frozenset[str]
    numerator: str = ""
    denominator: str = ""
    value: str = "numerator"
    decimals: int = 2
    metric: Metric | None = None


def build_measure(
    key: str, label: str, about: str, unit: str, source: Source, numerator: str, denominator: str = ""
) -> Measure:
    value = "percent" if denominator else "numerator"
    return Measure(key, label, about, unit, source, GROUPS_OF_SOURCES[source], numerator, denominator, value)


def measure_metric(metric: Metric) -> Measure:
    groups = GROUPS_OF_METRICS[metric.entities]
    return Measure(
        metric.key,
        metric.label,
        metric.formula,
        metric.unit,
        "metrics",
        groups,
        value=metric.value,
        decimals=metric.decimals,
        metric=metric,
    )


SUMS = (
    build_measure(
        *("revenue", "Revenue", "Money posted in the period, net of reversals. By payer: of who paid it."),
        *("dollars", "postings", "revenue"),
    ),
    build_measure(
        *("revenue_share", "Share of revenue", "Revenue / all revenue of the report's period."),
        *("percent", "postings", "revenue", "all"),
    ),
    build_measure(
        *("charged", "Charged", "Charges for services of the period. By payer: of the client's primary coverage then."),
        *("dollars", "charges", "charged"),
    ),
    build_measure(
        *("charged_share", "Share of charges", "Charged / all charges of the report's period."),
        *("percent", "charges", "charged", "all"),
    ),
    build_measure(
        *("collected", "Collected", "Money applied by now to the charges of the period's services."),
        *("dollars", "charges", "collected"),
    ),
    build_measure(
        *("collected_rate", "Collected of charged", "Collected / charged, as the collection rate counts them."),
        *("percent", "charges", "collected", "charged"),
    ),
    build_measure(
        *("claims_decided", "Claims decided", "Claims that a payer decided in the period."),
        *("count", "claims", "decided"),
    ),
    build_measure(
        *("claims_denied", "Claims denied", "Those of them that were denied."), *("count", "claims", "denied")
    ),
    build_measure(
        *("claims_denied_rate", "Denied", "Claims denied / claims decided, as the denial rate counts them."),
        *("percent", "claims", "denied", "decided"),
    ),
    build_measure(
        *("charges_denied", "Charges denied", "Charges of the denied claims."),
        *("dollars", "claims", "charges_denied"),
    ),
    build_measure(
        *("active_clients", "Active clients", "Clients who are active on the last day. Small groups are put together."),
        *("count", "clients", "clients"),
    ),
    build_measure(
        *("client_share", "Share of clients", "Active clients / all active clients."),
        *("percent", "clients", "clients", "all"),
    ),
)
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {measure.key: measure for measure in (*SUMS, *map(measure_metric, METRICS.values()))}
)


def list_groups(keys: Iterable[str]) -> set[str]:
    """Return the groups that all of these measures can be grouped by."""
    groups = set(GROUPS)
    for key in keys:
        groups &= MEASURES[key].groups
    return groups
