"""The page of one note: written and saved while typing, signed or submitted, and read once it is signed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import show_brief, show_head, show_notepad, show_panel
from dashboards.navigation import open_page
from dashboards.problems import say
from dashboards.shown import format_instant
from dashboards.signed_in import call_api, find_account, load
from dashboards.visits import NOTE_TYPES, is_hiding_names, shorten_name

STEPS = {
    "sign": ("Sign", True),
    "submit": ("Submit for review", True),
    "withdraw": ("Withdraw from review", False),
    "discard": ("Discard this draft", False),
}
SIGNED_AS = {
    "AUTHOR": "Signed",
    "CO_SIGNATURE": "Co-signed",
    "AMENDMENT": "Amendment signed",
    "ADDENDUM": "Addendum signed",
    "IMPORTED": "Signed before the import",
}


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    title: str
    about: str
    brief: list[str]
    returned: str
    types: list[str]
    pad: dict[str, Any]


def build_model(page: dict[str, Any], zone: ZoneInfo, *, account_id: str, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API."""
    note, visit = page["note"], page["appointment"]
    session_id = visit["id"] if visit else None
    name = shorten_name(page["client_name"], hide_names=hide_names)
    when = f" · session of {format_instant(visit['starts_at'], zone)}" if visit else ""
    author = f" · by {note['clinician_name']}" if note and not page["may"] else ""
    content = {"client_id": page["client_id"], "type": page["type"], "appointment_id": session_id, "sections": {}}
    begun = f"{session_id}-{page['notes_begun']}"
    return Model(
        title=NOTE_TYPES[page["type"]],
        about=f"{name}{when}{author}",
        brief=page["brief"],
        returned=describe_return(note) if note and note["status"] == "DRAFT" else "",
        types=page["types"],
        pad={
            "who": account_id,
            "key": f"{begun}-{page['type']}",
            "note": note["id"] if note else None,
            "version": note["version"] if note else 0,
            "create": {"key": f"note-{begun}", "note": content},
            "sections": page["sections"],
            "diagnoses": page["diagnoses"],
            "may": page["may"],
            "steps": [
                {"key": step, "label": STEPS[step][0], "first": STEPS[step][1]} for step in page["may"] if step in STEPS
            ],
            "problems": page["problems"],
            "signatures": [describe_signature(signer, zone) for signer in note["signatures"]] if note else [],
            "addenda": list_addenda(note, zone),
        },
    )


def describe_return(note: dict[str, Any]) -> str:
    """Return who returned the draft and why, unless its author has submitted it again since then."""
    if not note["review_returns"]:
        return ""
    last = note["review_returns"][-1]
    returned_at = datetime.fromisoformat(last["at"])
    if any(datetime.fromisoformat(signer["signed_at"]) > returned_at for signer in note["signatures"]):
        return ""
    return f"Returned by {last['by_name']}: {last['reason']}"


def list_addenda(note: dict[str, Any] | None, zone: ZoneInfo) -> list[dict[str, str]]:
    """Return the addenda of a note, and the change that waits for the supervisor, if there is one."""
    if note is None:
        return []
    shown = [
        build_addendum(f"Addendum {number}", addendum, addendum["text"], zone)
        for number, addendum in enumerate(note["addenda"], 1)
    ]
    waiting = note["in_review"]
    if waiting is not None:
        text = "\n\n".join(section["text"] for section in waiting["sections"])
        shown.append(build_addendum("A change that waits for the supervisor", waiting, text, zone))
    return shown


def build_addendum(title: str, addendum: dict[str, Any], text: str, zone: ZoneInfo) -> dict[str, str]:
    """Return what was added, with its signatures and reason."""
    parts = [describe_signature(signer, zone) for signer in addendum["signatures"]]
    parts += [f"Reason: {addendum['reason']}"] if addendum["reason"] else []
    return {"title": title, "text": text, "about": " · ".join(parts)}


def describe_signature(signer: dict[str, Any], zone: ZoneInfo) -> str:
    return f"{SIGNED_AS[signer['kind']]} by {signer['signed_by_name']}, {format_instant(signer['signed_at'], zone)}"


def show_note() -> None:
    """Draw the page."""
    note_id, session_id = st.query_params.get("note"), st.query_params.get("session")
    if not note_id and not session_id:
        show_head("Note", "No note is chosen.")
        st.info("Open a note from My practice: choose a visit of today, or one of the notes to sign.")
        return
    chosen: dict[str, Any] = {"note_id": note_id} if note_id else {"appointment_id": session_id}
    kind = st.session_state.get("note-type")
    page = load("/dashboards/note", chosen | ({"type": kind} if kind and not note_id else {}))
    account = find_account()
    hide_names = is_hiding_names()
    model = build_model(page, ZoneInfo(account.time_zone), account_id=account.id, hide_names=hide_names)
    show_head(model.title, model.about, has_names=True)
    show_brief(model.brief)
    with st.container():  # always there, so that the pad below stays in its place
        if model.returned:
            say("warning", model.returned)
        if model.types and page["may"]:
            st.selectbox("Type of note", model.types, format_func=lambda kind: NOTE_TYPES[kind], key="note-type")
    with show_panel("note", "The note", "Saved while you type" if "write" in page["may"] else ""):
        outcome = st.session_state.get("note-outcome")
        done = show_notepad(f"notepad-{session_id or note_id}", model.pad | {"outcome": outcome})
    if done and done["step"] in STEPS:
        take_step(done, page)


def take_step(done: dict[str, Any], page: dict[str, Any]) -> None:
    """Sign, submit, withdraw or discard the note as the person has read it, and say why if it is refused."""
    if done["step"] == "discard":
        answer = call_api("DELETE", f"/notes/{done['note']}", json={"reason": done["reason"]})
    else:
        headers = {"If-Match": f'"{done["version"]}"'}
        answer = call_api("POST", f"/notes/{done['note']}/{done['step']}", headers=headers)
    st.session_state["note-outcome"] = {"id": done["id"], "problem": answer.problem}
    if done["step"] == "discard" and not answer.problem:
        leave_discarded(page)
    st.rerun()


def leave_discarded(page: dict[str, Any]) -> None:
    """Open the page of the session, whose note can be begun again, or else of the person."""
    if page["appointment"]:
        open_page("note", session=page["appointment"]["id"])
    open_page("my-practice")
