"""Goals of a clinician: those that are set, and setting another one."""

from datetime import date, datetime, timedelta
from typing import Any

import streamlit as st

from dashboards.components import show_section
from dashboards.problems import dialog
from dashboards.shown import format_date
from dashboards.signed_in import call_api, find_zone, load
from dashboards.views.actions import finish

FIRST_METRIC = "kept_visit_rate"
BENCHMARKS = ("target_at_least", "target_at_most", "target_below")


@dialog("Goals", width="large")
def show_goals(clinician_id: str, name: str, about: str = "") -> None:
    """Show a clinician's goals, void one that was set by mistake, and set another one."""
    show_section(name, about)
    metrics = {metric["key"]: metric for metric in load("/metrics/dictionary")["items"]}
    for goal in load("/goals", {"staff_id": clinician_id, "status": "ACTIVE"})["items"]:
        with st.container(horizontal=True, vertical_alignment="center"):
            label = metrics[goal["metric_key"]]["label"]
            st.text(f"{label}: {float(goal['target']):g}, until {format_date(goal['ends_on'])}")
            if st.button("Take back", key=f"void-{goal['id']}"):
                finish(call_api("DELETE", f"/goals/{goal['id']}", json={"reason": "Set by mistake"}))
    keys = sorted(metrics, key=lambda key: (key != FIRST_METRIC, metrics[key]["label"]))
    metric = st.selectbox("Metric", keys, format_func=lambda key: describe_metric(metrics[key]), key="goal-metric")
    bounds = metrics[metric]["bounds"]
    benchmark = next((bounds[name] for name in BENCHMARKS if name in bounds), None)
    today = datetime.now(find_zone()).date()
    with st.form("goal", border=False):
        value = None if benchmark is None else float(benchmark)
        target = st.number_input("Target", min_value=0.0, step=1.0, value=value, key=f"target-{metric}")
        until = st.date_input("Until", value=today + timedelta(days=30), min_value=today, format="YYYY-MM-DD")
        if st.form_submit_button("Set the goal", type="primary"):
            if target is None:
                st.error("Enter the value to reach.")
            else:
                finish(call_api("POST", "/goals", json=build_goal(clinician_id, metric, target, today, until)))


def describe_metric(metric: dict[str, Any]) -> str:
    return f"{metric['label']} ({metric['unit']})"


def build_goal(clinician_id: str, metric: str, target: float, today: date, until: Any) -> dict[str, Any]:
    """Return a goal as the API takes it."""
    shown = f"{target:.2f}"
    return {
        "staff_id": clinician_id,
        "metric_key": metric,
        "target": shown,
        "starts_on": str(today),
        "ends_on": str(until),
    }
