"""The sentences on top of a page, written by rules from its figures."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from practice.dashboards.figures import Figure
from practice.dashboards.words import format_value, name_period_before


def describe_kept_visits(kept: Figure, *, names: Mapping[str, Figure] | None = None) -> str | None:
    """Return how the rate of kept visits changed, and whose visits most of a fall comes from, or None without data.

    `names` are the figures of clinicians by name.
    """
    if kept.value is None:
        return None
    value = format_value("percent", kept.value)
    target = kept.bounds.get("target_at_least")
    beside = "" if target is None else f" (target {target} %)"
    if kept.previous is None:
        return f"Kept visits are at {value}{beside}."
    before = name_period_before(kept.period.kind, kept.period.previous.start)
    if kept.value == kept.previous:
        return f"Kept visits stay at {value}{beside}."
    verb = "rose" if kept.value > kept.previous else "fell"
    sentence = f"Kept visits {verb} to {value}{beside} from {format_value('percent', kept.previous)} in {before}"
    source = find_main_source(kept, names or {}) if kept.value < kept.previous else None
    return f"{sentence}; most of it is {source}'s." if source else f"{sentence}."


def find_main_source(kept: Figure, names: Mapping[str, Figure]) -> str | None:
    """Return the name with the most missed visits beyond those expected by the rate of the period before."""
    if kept.previous is None:
        return None
    expected_share = Fraction(kept.previous) / 100
    losses = {
        name: expected_share * figure.denominator - figure.numerator
        for name, figure in names.items()
        if figure.denominator
    }
    worst = max(losses, key=lambda name: losses[name], default=None)
    return worst if worst is not None and losses[worst] > 0 else None


def describe_alerts(figures: Sequence[Figure]) -> str | None:
    """Return which figures are in alert, with their values."""
    alerts = [figure for figure in figures if figure.status == "alert"]
    if not alerts:
        return None
    listed = ", ".join(f"{figure.metric.label} ({format_value(figure.metric.unit, figure.value)})" for figure in alerts)
    return f"In alert: {listed}."
