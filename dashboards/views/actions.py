"""What a dialog does after the API has answered."""

from typing import Any

import streamlit as st

from dashboards.problems import say


def finish(answer: Any) -> None:
    """Draw the page again, or say why the API refuses."""
    if answer.problem:
        say("error", answer.problem)
        return
    st.rerun()
