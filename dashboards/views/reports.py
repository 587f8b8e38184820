"""The page of reports: the list, the chosen report with its plot, lines and totals, and the rows behind a line."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboards.bars import draw_bars
from dashboards.components import PERIODS, choose_period, show_brief, show_head, show_panel, show_section, show_table
from dashboards.problems import Refused, dialog, say
from dashboards.shown import format_instant
from dashboards.signed_in import call_api, find_zone
from dashboards.views.overview import describe_age
from dashboards.views.report_builder import show_builder, show_sharing
from dashboards.views.rows_behind import SHOWN_ROWS, build_file_link, build_table
from dashboards.visits import is_hiding_names

MAX_BARS = 15
GROUP_TITLES = {
    "total": "All together",
    "clinician": "Clinician",
    "team": "Team",
    "code": "Service code",
    "payer": "Payer",
    "age": "Age group",
    "sex": "Gender",
}
ROW_COLUMNS = {
    "on_date": "Day",
    "at": "Posted",
    "client_name": "Client",
    "clinician_name": "Clinician",
    "cpt_code": "Code",
    "counts": "Counts",
}
LIST_COLUMNS = [{"key": "name", "label": "Report"}]


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    about: str
    listed: list[tuple[str, list[dict[str, Any]]]]
    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    lines: dict[str, dict[str, Any]]
    bars: list[dict[str, Any]]
    bars_title: str
    own: dict[str, Any] | None


def build_model(page: dict[str, Any]) -> Model:
    """Return what the page shows of an answer of the API."""
    result, chosen = page["result"], page["chosen"]
    measures = result["measures"] if result else []
    lines = [*(result["lines"] if result else []), *(result["totals"] if result else [])]
    keys = [f"{number}" for number in range(len(lines))]
    several = chosen["definition"]["periods"] > 1
    first = "Period" if several and chosen["definition"]["group"] == "total" else None
    columns: list[dict[str, Any]] = [{"key": "name", "label": first or GROUP_TITLES[chosen["definition"]["group"]]}]
    columns += [
        {"key": measure["key"], "label": measure["label"], "right": True, "help": measure["about"]}
        for measure in measures
    ]
    saved = {report["id"]: report for report in page["saved"]}
    own = saved.get(chosen["saved_id"] or "")
    return Model(
        about=f"{page['period']['name']} · {describe_age(result['refresh'] if result else None)}",
        listed=list_choices(page),
        columns=columns,
        rows=[build_row(key, line, several=several) for key, line in zip(keys, lines, strict=True)],
        lines=dict(zip(keys, lines, strict=True)),
        bars=build_bars(result, page["period"]["start"], several=several) if result else [],
        bars_title=measures[0]["label"] if measures else "",
        own=own if own and (own["is_own"] or "reports.share" in page["may"]) else None,
    )


def list_choices(page: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the reports to choose from, under their headings."""
    standard = [{"id": report["key"], "name": report["name"]} for report in page["standard"]]
    own = [{"id": report["id"], "name": report["name"]} for report in page["saved"] if report["is_own"]]
    shared = [
        {"id": report["id"], "name": report["name"], "below": f"shared by {report['staff_name'] or 'an admin'}"}
        for report in page["saved"]
        if not report["is_own"]
    ]
    headings = (("Standard reports", standard), ("Your reports", own), ("Shared with you", shared))
    return [(heading, reports) for heading, reports in headings if reports]


def build_row(key: str, line: dict[str, Any], *, several: bool) -> dict[str, Any]:
    row = {"id": key, "name": line["name"]} | {cell["measure"]: cell["shown"] for cell in line["cells"]}
    return row | ({"below": line["period_name"]} if several else {})


def build_bars(result: dict[str, Any], start: str, *, several: bool) -> list[dict[str, Any]]:
    """Return the first measure by line or, over several periods, its totals by period; nothing for a single one."""
    of_periods = [line for line in result["totals"] or result["lines"] if line["period_start"]]
    of_lines = [line for line in result["lines"] if line["period_start"] == start]
    lines = of_periods if several else of_lines[:MAX_BARS]
    rows = [
        {
            "name": line["period_name"] if several else line["name"],
            "value": float(cell["value"]),
            "shown": cell["shown"],
        }
        for line in lines
        for cell in line["cells"][:1]
        if cell["value"] is not None
    ]
    return rows if len(rows) > 1 else []


def load_page() -> dict[str, Any]:
    """Return the answer of the API; a report that is gone is replaced by the first one."""
    query = {"report": st.query_params.get("report", "")} | choose_period()
    if "period" not in st.query_params:
        del query["period"]  # the report's own
    query = {name: value for name, value in query.items() if value}
    answer = call_api("GET", "/dashboards/reports", params=query)
    if answer.status == 404 and "report" in query:
        st.warning("This report was deleted, or is no longer shared with you.")
        answer = call_api("GET", "/dashboards/reports", params={})
    if answer.problem:
        raise Refused(answer.problem)
    return answer.document


def show_reports() -> None:
    """Draw the page."""
    page = load_page()
    model = build_model(page)
    show_head("Reports", model.about, page["period"], has_names=True)
    show_brief(page["brief"])
    left, right = st.columns([2, 7], gap="small")
    with left, show_panel("reports", "Reports"):
        if st.button("New report", key="new-report", icon=":material/add:"):
            show_builder(page, None)
        for heading, reports in model.listed:
            show_section(heading)
            chosen = show_table(heading, heading, LIST_COLUMNS, reports, "", chosen=page["chosen"]["key"])
            if chosen:
                choose_report(chosen)
    with right:
        show_report(page, model)


def choose_report(key: str) -> None:
    """Open another report, in its own kind of periods."""
    st.query_params["report"] = key
    st.query_params.pop("period", None)
    st.session_state.pop("period", None)
    st.rerun()


def show_report(page: dict[str, Any], model: Model) -> None:
    """Show the chosen report with its files, and what its owner can do with it."""
    chosen = page["chosen"]
    with show_panel("report", chosen["name"], chosen["about"] or describe_definition(chosen["definition"])):
        with st.container(horizontal=True):
            show_files(page)
            if model.own is not None:
                if st.button("Change", key="change-report", icon=":material/edit:"):
                    show_builder(page, model.own)
                if st.button("Share and send", key="share-report", icon=":material/share:"):
                    show_sharing(page, model.own)
        if model.bars:
            say("caption", model.bars_title)
            draw_bars(model.bars, f"{model.bars_title}, also in the table below")
        opened = show_table("lines", chosen["name"], model.columns, model.rows, "No figures in this period.")
        if opened in model.lines:
            show_line(model.lines[opened], page["result"]["measures"])


def describe_definition(definition: dict[str, Any]) -> str:
    """Return what a saved report is grouped by, and of which periods and clinicians it is."""
    count, kind = definition["periods"], PERIODS[definition["period"]].lower()
    span = f"one {kind}" if count == 1 else f"{count} {kind}s"
    only = ", ".join(name or "somebody" for name in definition["clinician_names"])
    return f"By {GROUP_TITLES[definition['group']].lower()}, {span}{f', only {only}' if only else ''}"


def show_files(page: dict[str, Any]) -> None:
    query = {"report": page["chosen"]["key"], "period": page["period"]["kind"], "day": page["period"]["start"]}
    if page["result"] is None:
        return
    for kind, name in (("csv", "CSV"), ("xlsx", "Excel"), ("pdf", "PDF")):
        st.link_button(name, f"/files/report.{kind}?{urlencode(query)}", icon=":material/download:")


@dialog("Behind the line", width="large")
def show_line(line: dict[str, Any], measures: list[dict[str, Any]]) -> None:
    """Show the values of a line, and the rows behind the chosen one."""
    show_section(line["name"], line["period_name"])
    cells = {cell["measure"]: cell for cell in line["cells"] if cell["rows"]}
    labels = {measure["key"]: measure["label"] for measure in measures}
    if not cells:
        st.info("There are no rows to show: it is a sum of several values, or of clients, who are not listed.")
        return
    key = st.selectbox(
        "Figure", list(cells), format_func=lambda key: f"{labels[key]}: {cells[key]['shown']}", key="line-measure"
    )
    show_rows(cells[key]["rows"])


def show_rows(path: str) -> None:
    """Show the first rows behind a value with their sum, and files of all of them."""
    parts = urlsplit(path)
    query = parse_query(parts.query)
    answer = call_api("GET", parts.path, params={**query, "limit": SHOWN_ROWS})
    if answer.problem:
        say("info", answer.problem)
        return
    found = answer.document
    is_money = parts.path == "/reports/rows"
    hide_names = is_hiding_names()
    together = found["sum"] if is_money else f"{found['numerator']:g}"
    of = "" if is_money or found["denominator"] is None else f" of {found['denominator']:g}"
    count = f"{found['count']:,} row{'' if found['count'] == 1 else 's'}"
    first = f", the first {SHOWN_ROWS} of them" if found["count"] > SHOWN_ROWS else ""
    say("caption", f"{count}{first}. They add up to {together}{of}.")
    if found["items"]:
        if is_money:
            table = build_money_table(found["items"], find_zone(), hide_names=hide_names)
        else:
            table = build_table(found["items"], hide_names=hide_names)
        st.dataframe(table, hide_index=True, width="stretch")
    with st.container(horizontal=True):
        for kind, name in (("csv", "CSV"), ("xlsx", "Excel")):
            address = (
                f"/files/report-rows.{kind}?{urlencode(query, doseq=True)}" if is_money else build_file_link(path, kind)
            )
            st.link_button(f"All rows as {name}", address, icon=":material/download:")


def parse_query(query: str) -> dict[str, Any]:
    """Return the parameters of a path; those that are there several times as a list."""
    return {
        name: values if len(values) > 1 else values[0]
        for name, values in parse_qs(query, keep_blank_values=True).items()
    }


def build_money_table(rows: list[dict[str, Any]], zone: ZoneInfo, *, hide_names: bool) -> pd.DataFrame:
    """Return the records as people read them, without the columns that are empty for all."""
    shown = [row | {"at": row["at"] and format_instant(row["at"], zone)} for row in rows]
    table = pd.DataFrame([{title: row[name] for name, title in ROW_COLUMNS.items()} for row in shown])
    return (table.drop(columns="Client") if hide_names else table).dropna(axis="columns", how="all")
