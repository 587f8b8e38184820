"""The pages there are, by name and path, and who sees which."""

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class PageEntry:
    """A page in the navigation."""

    path: str
    title: str
    icon: str
    section: str
    roles: frozenset[str]
    is_listed: bool = True  # a page of one record is reached from others


PAGES = (
    PageEntry("overview", "Practice overview", ":material/monitoring:", "Practice", frozenset({"admin"})),
    PageEntry("my-practice", "My practice", ":material/person:", "Practice", frozenset({"clinician"})),
    PageEntry("team", "My team", ":material/groups:", "Practice", frozenset({"supervisor"})),
    PageEntry("schedule", "Schedule", ":material/calendar_month:", "Practice", frozenset({"admin", "scheduler"})),
    PageEntry("payroll", "Payroll", ":material/payments:", "Money", frozenset({"admin", "biller"})),
    PageEntry(
        "compliance",
        "Compliance",
        ":material/verified_user:",
        "Rules",
        frozenset({"admin", "supervisor", "clinician"}),
    ),
    PageEntry("data-quality", "Data quality", ":material/rule:", "Rules", frozenset({"admin"})),
    PageEntry(
        "note", "Note", ":material/edit_note:", "Practice", frozenset({"clinician", "supervisor"}), is_listed=False
    ),
    PageEntry(
        "client",
        "Client",
        ":material/person_search:",
        "Practice",
        frozenset({"admin", "supervisor", "clinician"}),
        is_listed=False,
    ),
    PageEntry(
        "reports",
        "Reports",
        ":material/bar_chart:",
        "Practice",
        frozenset({"admin", "supervisor", "clinician", "biller"}),
    ),
    PageEntry("settings", "Settings", ":material/tune:", "Rules", frozenset({"admin", "supervisor"})),
    PageEntry("audit", "Audit log", ":material/history:", "Rules", frozenset({"admin"})),
    PageEntry("account", "My account", ":material/shield_person:", "Account", frozenset()),
)


def list_pages(roles: set[str]) -> list[PageEntry]:
    """Return the pages for people with these roles. A page without roles is for everybody."""
    return [page for page in PAGES if not page.roles or page.roles & roles]


def open_page(path: str, **ids: str) -> None:
    """Leave the page that is running for another one, about the records with these ids."""
    st.switch_page(st.session_state.pages[path], query_params=ids)


def has_page(path: str) -> bool:
    """Return whether the signed-in person has the page."""
    return path in st.session_state.pages
