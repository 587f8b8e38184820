"""The rows behind a figure: the records that the last refresh counted, each with the reason, and files of all."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pandas as pd
import streamlit as st

from dashboards.components import show_section
from dashboards.problems import dialog, say
from dashboards.signed_in import call_api
from dashboards.visits import is_hiding_names

SHOWN_ROWS = 200
COLUMNS = {
    "on_date": "Day",
    "client_name": "Client",
    "clinician_name": "Clinician",
    "status": "Status",
    "numerator": "Counts",
    "denominator": "Of",
    "reason": "Why",
}


def build_table(rows: list[dict[str, Any]], *, hide_names: bool) -> pd.DataFrame:
    """Return the rows as people read them, without the columns that are empty for all."""
    table = pd.DataFrame([{title: row[name] for name, title in COLUMNS.items()} for row in rows])
    if hide_names and "Client" in table:
        table = table.drop(columns="Client")
    return table.dropna(axis="columns", how="all")


def build_file_link(path: str, kind: str) -> str:
    """Return the address of a file with all rows."""
    parts = urlsplit(path)
    metric = parts.path.split("/")[2]
    return f"/files/rows.{kind}?{urlencode({'metric': metric, **dict(parse_qsl(parts.query))})}"


@dialog("Behind the figure", width="large")
def show_rows_behind(figure: dict[str, Any]) -> None:
    """Show the rows of a figure and their sums."""
    show_section(f"{figure['label']}: {figure['shown']}", figure["formula"])
    parts = urlsplit(figure["rows"])
    answer = call_api("GET", parts.path, params={**dict(parse_qsl(parts.query)), "limit": SHOWN_ROWS})
    if answer.problem:
        say("info", answer.problem)
        return
    found = answer.document
    table = build_table(found["items"], hide_names=is_hiding_names())
    of = "" if found["denominator"] is None else f" of {found['denominator']:g}"
    count = f"{found['count']:,} row{'' if found['count'] == 1 else 's'}"
    first = f", the first {SHOWN_ROWS} of them" if found["count"] > SHOWN_ROWS else ""
    say("caption", f"{count}{first}. They add up to {found['numerator']:g}{of}.")
    if found["items"]:
        st.dataframe(table, hide_index=True, width="stretch")
    with st.container(horizontal=True):
        for kind, name in (("csv", "CSV"), ("xlsx", "Excel")):
            st.link_button(f"All rows as {name}", build_file_link(figure["rows"], kind), icon=":material/download:")
