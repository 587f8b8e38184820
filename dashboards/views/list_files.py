"""Links to files with all rows of a list, as the page filters it."""

from urllib.parse import urlencode

import streamlit as st


def show_file_links(name: str, chosen: dict[str, str]) -> None:
    """Show the links to a list as CSV and as a workbook."""
    query = f"?{urlencode(chosen)}" if chosen else ""
    with st.container(horizontal=True):
        for kind, label in (("csv", "CSV"), ("xlsx", "Excel")):
            st.link_button(f"All rows as {label}", f"/files/{name}.{kind}{query}", icon=":material/download:")
