"""How notes say no. That a session is locked, `practice/clinical/deadlines/locking.py` says."""

from collections.abc import Sequence

from practice.errors import Refusal, Stale


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


class NotYours(Refusal):
    """Of a plan, a report, a session of supervision."""

    code = "NOT_YOURS"
    status = 403


class NoteLocked(Refusal):
    code = "NOTE_LOCKED"


class OwnSession(Refusal):
    code = "OWN_SESSION"
    status = 403


class NotLocked(Refusal):
    code = "NOT_LOCKED"


class NoteSigned(Refusal):
    code = "NOTE_SIGNED"


TOUCHING = (NotYourNote, Stale)  # before anything is done to a note
WRITING = (*TOUCHING, NoteSigned, NoteInReview, NoteLocked)
SIGNING = (*WRITING, NotInReview, NoteIncomplete, ReviewNeeded)
