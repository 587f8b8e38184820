"""Problems that a page or a dialog meets, said in words where it stands."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Literal

import streamlit as st

from dashboards.sessions import ApiUnavailable, SessionEnded

ENDED = "Your session has ended. Load this page again to sign in."
MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+!|~$:<>&-]")
UNAVAILABLE = "Caseload cannot be reached now. What you see may be old, and nothing was lost."


def say(kind: Literal["error", "warning", "info", "success", "caption"], words: str) -> None:
    """Say a sentence that may have words of people in it, which are no Markdown: no links, no pictures."""
    getattr(st, kind)(MARKDOWN.sub(r"\\\g<0>", words))


class Refused(Exception):
    """The API refuses what a page needs; with its sentence."""


@contextmanager
def say_problems() -> Generator[None]:
    """Say what is wrong instead of drawing on."""
    try:
        yield
    except SessionEnded:
        st.info(ENDED)
    except Refused as refused:
        say("error", str(refused))
    except ApiUnavailable:
        st.warning(UNAVAILABLE)
        st.button("Try again", key="retry")


def dialog(title: str, **options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function draw a dialog. It runs again alone, without its page, so it says problems by itself."""

    def decorate(draw: Callable[..., None]) -> Callable[..., None]:
        @st.dialog(title, **options)
        @wraps(draw)
        def draw_or_say(*arguments: Any, **named: Any) -> None:
            with say_problems():
                draw(*arguments, **named)

        return draw_or_say

    return decorate
