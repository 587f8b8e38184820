"""How notes say no. That a session is locked, `practice/notes/locking.py` says."""

from collections.abc import Sequence

from practice.errors import Refusal
from practice.notes.locking import NoteLocked, NoteSigned
from practice.people.service import Stale


class NotYourNote(Refusal):
    code = "NOT_YOUR_NOTE"
    status = 403


class NoteInReview(Refusal):
    code = "NOTE_IN_REVIEW"


class NotInReview(Refusal):
    code = "NOT_IN_REVIEW"


class NoteNotSigned(Refusal):
    code = "NOTE_NOT_SIGNED"


class NoteIncomplete(Refusal):
    code = "NOTE_INCOMPLETE"


def incomplete(problems: Sequence[str]) -> NoteIncomplete:
    return NoteIncomplete(" ".join([*problems, "Complete it, then sign."]), problems=problems)


class ReviewNeeded(Refusal):
    code = "REVIEW_NEEDED"


class NoSupervisor(Refusal):
    code = "NO_SUPERVISOR"


TOUCHING = (NotYourNote, Stale)  # before anything is done to a note
WRITING = (*TOUCHING, NoteSigned, NoteInReview, NoteLocked)
SIGNING = (*WRITING, NotInReview, NoteIncomplete, ReviewNeeded)


class NotYours(Refusal):
    """Of a plan, a report, a session of supervision."""

    code = "NOT_YOURS"
    status = 403
