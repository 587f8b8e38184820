"""Audit actions that were renamed. The log cannot be rewritten, so readers of it accept the retired names too."""

from collections.abc import Iterable

CURRENT_NAMES = {
    "backup.made": "backup.created",
    "deadlines.kept": "deadlines.recorded",
    "deletion.asked": "deletion.requested",
    "document.taken_out": "document.downloaded",
    "mfa.enrolment_begun": "mfa.enrollment_begun",
    "note.kept_as_it_came": "note.import_stored",
    "reschedule.asked": "reschedule.requested",
    "session_completion.made": "session_completion.created",
    "session_completion.taken_back": "session_completion.reversed",
    "session_completions.made": "session_completions.created",
}
"""The current name of each retired one. Add a line whenever an action is renamed, and never remove one."""


def current_name(action: str) -> str:
    """Return the action's current name."""
    return CURRENT_NAMES.get(action, action)


def list_names(actions: Iterable[str]) -> list[str]:
    """Return all names under which the log may contain the actions, retired ones included."""
    current = {current_name(action) for action in actions}
    return sorted(current | {retired for retired, name in CURRENT_NAMES.items() if name in current})
