"""The part of every view beside the page: who is signed in, the way out, and the switch that hides names."""

from html import escape

import streamlit as st

from dashboards.signed_in import Account

ROLE_NAMES = {
    "admin": "Admin",
    "supervisor": "Supervisor",
    "clinician": "Clinician",
    "scheduler": "Front desk",
    "biller": "Biller",
    "analyst": "Analyst",
    "client": "Client",
    "platform_admin": "Operator",
}


def show_person(account: Account) -> None:
    """Show the name, roles and practice of the signed-in person, and the button that signs them out."""
    initials = "".join(part[0] for part in account.name.split()[:2]).upper()
    roles = ", ".join(name for role, name in ROLE_NAMES.items() if role in account.roles)
    place = " · ".join(part for part in (roles, account.practice_name) if part)
    with st.sidebar.container(key="cl-me"):
        st.html(
            f'<div class="cl-me"><span class="cl-face" aria-hidden="true">{escape(initials)}</span>'
            f"<span><b>{escape(account.name)}</b><br>{escape(place)}</span></div>"
            '<form method="post" action="/sign-out"><button type="submit" class="cl-out">Sign out</button></form>'
        )
