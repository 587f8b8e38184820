"""Parts of the pages of checks: loading one of a check in the address, and files with all rows."""

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboards.problems import Refused
from dashboards.signed_in import call_api


def load_checked(path: str, chosen: dict[str, str]) -> dict[str, Any]:
    """Return a page; if the address names a check that does not exist, of all checks."""
    answer = call_api("GET", path, params=chosen)
    if answer.status == 422:
        chosen.pop("check", None)
        answer = call_api("GET", path, params=chosen)
    if answer.problem:
        raise Refused(answer.problem)
    return answer.document


def show_file_links(name: str, chosen: dict[str, str]) -> None:
    """Show the links to a list, filtered as the page is, as CSV and as a workbook."""
    query = f"?{urlencode(chosen)}" if chosen else ""
    with st.container(horizontal=True):
        for kind, label in (("csv", "CSV"), ("xlsx", "Excel")):
            st.link_button(f"All rows as {label}", f"/files/{name}.{kind}{query}", icon=":material/download:")
