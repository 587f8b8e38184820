"""Sentences that the next run of a page says: what an action did, which closes its dialog."""

import streamlit as st

from dashboards.problems import say


def say_next(done: str, warnings: list[str] | None = None) -> None:
    """Keep what was done, and what to see to, for the page that is drawn next, and draw it."""
    st.session_state.said = (done, warnings or [])
    st.rerun()


def show_said() -> None:
    """Say what the last action did, once."""
    done, warnings = st.session_state.pop("said", ("", []))
    if done:
        say("success", done)
    for warning in warnings:
        say("warning", warning)
