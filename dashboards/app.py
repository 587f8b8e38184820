"""The script that Streamlit runs for every view: who is signed in, which pages they have, and the page itself."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from dashboards import signed_in
from dashboards.components import ASSETS, ignore, show_head
from dashboards.frame import show_person
from dashboards.gate import MISSING
from dashboards.navigation import PAGES, list_pages
from dashboards.problems import say_problems
from dashboards.sessions import SessionEnded
from dashboards.views import (
    account,
    audit_log,
    client,
    compliance,
    data_quality,
    my_practice,
    note,
    overview,
    payroll,
    reports,
    schedule,
    settings,
    team,
)

DRAW: dict[str, Callable[[], None]] = {
    "overview": overview.show_overview,
    "team": team.show_team,
    "my-practice": my_practice.show_my_practice,
    "note": note.show_note,
    "client": client.show_client,
    "schedule": schedule.show_schedule,
    "payroll": payroll.show_payroll,
    "compliance": compliance.show_compliance,
    "data-quality": data_quality.show_data_quality,
    "reports": reports.show_reports,
    "settings": settings.show_settings,
    "audit": audit_log.show_audit_log,
    "account": account.show_account,
}


def main() -> None:
    st.set_page_config(page_title="Caseload", page_icon=str(ASSETS / "mark.svg"), layout="wide")
    with say_problems():
        show_view()


def show_view() -> None:
    """Draw the frame of a view and its page, or raise SessionEnded or another problem."""
    session = signed_in.find_session()
    if session is None:
        st.session_state.clear()
        raise SessionEnded
    if st.session_state.get("owner") not in (None, session.key):  # somebody else's view, taken over by its id
        st.session_state.clear()
    st.session_state.owner = session.key
    st.session_state.hide_names = session.hides_names
    person = signed_in.find_account()
    st.logo(str(ASSETS / "logo.svg"), icon_image=str(ASSETS / "mark.svg"), size="large")
    # The default page has no address of its own, so it is an empty one that leads to the first.
    start = st.Page(ignore, title="Caseload", url_path="start", default=True, visibility="hidden")
    sections: dict[str, list[st.Page]] = {"": [start]}
    own, shown = list_pages(set(person.roles)), dict[str, Any]()
    for entry in own:
        visibility = "visible" if entry.is_listed else "hidden"
        page = st.Page(DRAW[entry.path], title=entry.title, icon=entry.icon, url_path=entry.path, visibility=visibility)
        shown[entry.path] = page
        sections.setdefault(entry.section, []).append(page)
    st.session_state.pages = shown
    first = next(shown[entry.path] for entry in own if entry.is_listed)
    # Streamlit has words of its own for a page that is not in the navigation, so each address has one.
    others = [MISSING, *(entry.path for entry in PAGES if entry not in own)]
    sections[""] += [
        st.Page(partial(say_missing, first), title="No such page", url_path=path, visibility="hidden")
        for path in others
    ]
    chosen = st.navigation(sections, expanded=True)
    if chosen.title == start.title:
        st.switch_page(first, query_params=st.query_params.to_dict())
    show_person(person)
    chosen.run()


def say_missing(first: Any) -> None:
    """Say that there is no such page, and lead to the person's first one."""
    show_head("There is no such page for you.", "It may have another address, or be for other roles.")
    if st.button("To my first page", icon=":material/home:"):
        st.switch_page(first)


main()
