"""The forms of one's own reports: what they show, with whom they are shared, and when they are sent."""

from typing import Any

import streamlit as st

from dashboards.frame import ROLE_NAMES
from dashboards.problems import dialog, say
from dashboards.signed_in import call_api

GROUPS = {
    "total": "All together",
    "clinician": "Clinicians",
    "team": "Teams",
    "code": "Service codes",
    "payer": "Payers",
    "age": "Age groups",
    "sex": "Gender",
}
KINDS = {"week": "Weeks", "month": "Months", "quarter": "Quarters"}
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
FREQUENCIES = {"never": "Not sent", "week": "Every week", "month": "Every month"}
READER_ROLES = ("admin", "supervisor", "clinician", "biller")
NAME, SMALLEST_FIRST, LARGEST_FIRST = "name", "Smallest first", "Largest first"


def list_common_groups(measures: list[dict[str, Any]], keys: list[str]) -> list[str]:
    """Return the groups that all chosen measures can be grouped by."""
    chosen = [measure for measure in measures if measure["key"] in keys]
    return [group for group in GROUPS if all(group in measure["groups"] for measure in chosen)]


@dialog("Report", width="large")
def show_builder(page: dict[str, Any], report: dict[str, Any] | None) -> None:
    """Show the form of a new report, which begins with the chosen one, or of one's own."""
    definition = (report or page["chosen"])["definition"]
    labels = {measure["key"]: measure["label"] for measure in page["measures"]}
    people = {choice["staff_id"]: choice["staff_name"] for choice in page["clinicians"]}
    name = st.text_input("Name", value=report["name"] if report else "", max_chars=100, key="report-name")
    keys = st.multiselect(
        "Measures",
        list(labels),
        default=[key for key in definition["measures"] if key in labels],
        format_func=lambda key: labels[key],
        max_selections=12,
        key="report-measures",
    )
    groups = list_common_groups(page["measures"], keys)
    if not groups:
        st.info("Nothing fits all of these measures. Remove one of them.")
        return
    group = st.selectbox(
        "One line for each of",
        groups,
        index=groups.index(definition["group"]) if definition["group"] in groups else 0,
        format_func=lambda key: GROUPS[key],
        key="report-group",
    )
    left, right = st.columns(2)
    kinds = list(KINDS)
    kind = left.selectbox(
        "Periods", kinds, index=kinds.index(definition["period"]), format_func=lambda key: KINDS[key], key="report-kind"
    )
    periods = right.number_input("How many", 1, 24, value=definition["periods"], key="report-periods")
    clinicians = st.multiselect(
        "Only these clinicians",
        list(people),
        default=[staff_id for staff_id in definition["clinician_ids"] if staff_id in people],
        format_func=lambda staff_id: people[staff_id],
        placeholder="Everybody",
        key="report-clinicians",
    )
    orders = [NAME, *keys]
    order = left.selectbox(
        "Order by",
        orders,
        index=orders.index(definition["order_by"]) if definition["order_by"] in orders else 0,
        format_func=lambda key: "Name" if key == NAME else labels[key],
        key="report-order",
    )
    direction = right.selectbox(
        "Direction", [SMALLEST_FIRST, LARGEST_FIRST], index=int(definition["descending"]), key="report-direction"
    )
    if st.button("Save", key="save-report", type="primary"):
        body = {
            "name": name.strip(),
            "definition": {
                "measures": keys,
                "group": group,
                "period": kind,
                "periods": int(periods),
                "clinician_ids": clinicians,
                "order_by": order,
                "descending": direction == LARGEST_FIRST,
            },
        }
        save(body, report)


def save(body: dict[str, Any], report: dict[str, Any] | None) -> None:
    """Save a new report or a change, and open it; or say why not."""
    if report is None:
        answer = call_api("POST", "/reports", json=body)
    else:
        headers = {"If-Match": f'"{report["version"]}"'}
        answer = call_api("PATCH", f"/reports/{report['id']}", json=body, headers=headers)
    if answer.problem:
        say("error", answer.problem)
        return
    st.query_params["report"] = answer.document["id"]
    st.query_params.pop("period", None)
    st.rerun()


@dialog("Share and send", width="large")
def show_sharing(page: dict[str, Any], report: dict[str, Any]) -> None:
    """Show with which roles a report is shared, and when it is sent to whom."""
    schedule = report["schedule"]
    roles = report["shared_with"]
    st.caption("Everybody sees a shared report with the figures that their own role shows.")
    if "reports.share" in page["may"]:
        roles = st.multiselect(
            "Share with",
            READER_ROLES,
            default=roles,
            format_func=lambda role: ROLE_NAMES[role],
            placeholder="Nobody",
            key="report-roles",
        )
    frequencies = list(FREQUENCIES)
    every = st.selectbox(
        "Send its link by email",
        frequencies,
        index=frequencies.index(schedule["every"]) if schedule else 0,
        format_func=lambda key: FREQUENCIES[key],
        key="report-every",
    )
    body: dict[str, Any] = {"schedule": None}
    if every != "never":
        body["schedule"] = show_schedule_fields(page, schedule, every)
    if "reports.share" in page["may"]:
        body["shared_with"] = roles
    with st.container(horizontal=True):
        if st.button("Save", key="save-sharing", type="primary"):
            save(body, report)
        is_sure = st.checkbox("Delete it for everybody", key="delete-sure")
        if st.button("Delete this report", key="delete-report", icon=":material/delete:", disabled=not is_sure):
            delete(report)


def show_schedule_fields(page: dict[str, Any], schedule: dict[str, Any] | None, every: str) -> dict[str, Any]:
    """Return the schedule that the fields say."""
    same = schedule if schedule and schedule["every"] == every else None
    names = {choice["staff_id"]: choice["staff_name"] for choice in page["people"]}
    left, right = st.columns(2)
    if every == "week":
        day = left.selectbox(
            "On",
            range(7),
            index=same["day"] if same else 1,
            format_func=lambda day: WEEKDAYS[day],
            key="report-weekday",
        )
    else:
        day = left.number_input("On day", 1, 28, value=same["day"] if same else 1, key="report-day")
    hour = right.number_input("At the local hour", 0, 23, value=same["hour"] if same else 7, key="report-hour")
    recipients = st.multiselect(
        "To",
        list(names),
        default=[staff_id for staff_id in (schedule["staff_ids"] if schedule else []) if staff_id in names],
        format_func=lambda staff_id: names[staff_id],
        placeholder="Choose people",
        key="report-recipients",
    )
    return {"every": every, "day": int(day), "hour": int(hour), "recipient_ids": recipients}


def delete(report: dict[str, Any]) -> None:
    answer = call_api("DELETE", f"/reports/{report['id']}")
    if answer.problem:
        say("error", answer.problem)
        return
    st.query_params.pop("report", None)
    st.rerun()
