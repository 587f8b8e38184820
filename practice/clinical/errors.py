"""Errors of notes, plans, reports and supervision, and the sets of errors that note endpoints declare."""

from collections.abc import Sequence

from practice.errors import Refusal, Stale


class NotYourNote(Refusal):
    """The note belongs to another clinician, or the caller cannot write notes.

    Fix: ask its author or the author's supervisor.
    """

    code = "NOT_YOUR_NOTE"
    status = 403


class NoteInReview(Refusal):
    """The note is in review.

    Fix: wait for the supervisor, or withdraw the note.
    """

    code = "NOTE_IN_REVIEW"


class NotInReview(Refusal):
    """The note is not in review.

    Fix: submit it first.
    """

    code = "NOT_IN_REVIEW"


class NoteEnteredInError(Refusal):
    """The note was entered in error and cannot be changed or signed.

    Fix: write a new note.
    """

    code = "NOTE_ENTERED_IN_ERROR"

    def __init__(self) -> None:
        super().__init__("This note was entered in error, so it cannot be changed or signed. Write a new note.")


class NoteNotSigned(Refusal):
    """The note is not signed yet.

    Fix: sign it first.
    """

    code = "NOTE_NOT_SIGNED"


class NoteIncomplete(Refusal):
    """Required sections of the note are empty.

    Fix: complete the sections in `details`, then sign it.
    """

    code = "NOTE_INCOMPLETE"


def build_note_incomplete(problems: Sequence[str]) -> NoteIncomplete:
    """Return the error for a note that cannot be signed because of the problems."""
    return NoteIncomplete(" ".join([*problems, "Complete the note, then sign it."]), problems=problems)


class ReviewNeeded(Refusal):
    """The author's notes need review by their supervisor.

    Fix: submit the note instead of signing it.
    """

    code = "REVIEW_NEEDED"


class NoSupervisor(Refusal):
    """The author has no supervisor to submit to.

    Fix: sign the note, or ask an admin to set a supervisor.
    """

    code = "NO_SUPERVISOR"


class NotYours(Refusal):
    """The plan, report or supervision session belongs to somebody else.

    Fix: ask its author, or the client's primary clinician.
    """

    code = "NOT_YOURS"
    status = 403


class NoteLocked(Refusal):
    """The session is locked: its deadline has passed without a signed note, or somebody locked it by hand.

    Fix: ask a supervisor or an admin to unlock it. `details.cause` is DEADLINE or BY_HAND.
    """

    code = "NOTE_LOCKED"


class SessionNotHeld(Refusal):
    """The session of the note was cancelled, moved or missed, or has not begun.

    Fix: correct the status of the appointment, link the note to another session, or mark it as entered in error.
    """

    code = "SESSION_NOT_HELD"


class SessionSigned(Refusal):
    """The session of a clinician who has left already has a signed note, by them or by somebody who finished it.

    Fix: void the draft, or mark the note as entered in error if it was submitted; add to the signed note.
    """

    code = "SESSION_SIGNED"


class OwnSession(Refusal):
    """The session is the caller's own, or that of a clinician who has left and whose notes the caller finishes.

    Fix: ask your supervisor or an admin to unlock it; for a clinician who has left, an admin.
    """

    code = "OWN_SESSION"
    status = 403


class NotLocked(Refusal):
    """The session is not locked.

    Fix: write and sign its note.
    """

    code = "NOT_LOCKED"


class NoteSigned(Refusal):
    """The note is signed and cannot be changed.

    Fix: amend it, or add an addendum.
    """

    code = "NOTE_SIGNED"


CHANGE_ERRORS = (NotYourNote, NoteEnteredInError, Stale)  # of every change of a note
WRITE_ERRORS = (*CHANGE_ERRORS, NoteSigned, NoteInReview, NoteLocked)
SIGN_ERRORS = (*WRITE_ERRORS, NotInReview, NoteIncomplete, ReviewNeeded, SessionNotHeld, SessionSigned)
