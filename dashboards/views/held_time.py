"""The dialog of a time that is held for somebody on the waitlist: taking it for them, or declining it."""

from typing import Any

import streamlit as st

from dashboards.components import show_section
from dashboards.problems import dialog, say
from dashboards.said import say_next
from dashboards.signed_in import call_api
from dashboards.views.booking import say_booked
from dashboards.views.free_times import Lists, describe_time
from dashboards.visits import shorten_name


@dialog("Held for the waitlist")
def show_held_time(hold: dict[str, Any], lists: Lists, *, hide_names: bool) -> None:
    """Show for whom a time is held, and until when, to answer for them."""
    name = shorten_name(hold["client_name"], hide_names=hide_names)
    service = hold["service_name"] or hold["service_code"]
    when = f"{describe_time(hold['starts_at'], lists.zone)} · {service} with {hold['clinician_name']}"
    show_section(name, f"{when} · held until {describe_time(hold['holds_until'], lists.zone)}")
    st.caption("Answer for the client, such as after a call. A time that is declined goes to the next whom it suits.")
    with st.container(horizontal=True):
        is_taken = st.button("Book it for them", key="hold-take", type="primary", icon=":material/event_available:")
        is_declined = st.button("They decline", key="hold-decline", icon=":material/close:")
    if not is_taken and not is_declined:
        return
    answer = call_api("POST", f"/waitlist/offers/{hold['id']}/{'take' if is_taken else 'decline'}")
    if answer.problem:
        say("error", answer.problem)
    elif is_taken:
        say_booked(answer.document, lists)
    else:
        say_next("Declined. The time is offered to the next whom it suits, or free again.")
