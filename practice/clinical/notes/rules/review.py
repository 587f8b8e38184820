"""Rules of which notes a supervisor reviews, and of who finishes those of somebody who has left."""

from collections.abc import Collection, Mapping


def needs_review(license_type: str | None, has_supervisor: bool, hours: Mapping[str, int]) -> bool:
    """Return whether a clinician's notes need a supervisor's co-signature.

    They do if the clinician has a supervisor and the practice's settings require supervision hours for the license.
    """
    return has_supervisor and requires_supervision(license_type, hours)


def lacks_supervisor(license_type: str | None, has_supervisor: bool, hours: Mapping[str, int]) -> bool:
    """Return whether nobody supervises a clinician whose license requires it, so that they sign without review."""
    return not has_supervisor and requires_supervision(license_type, hours)


def requires_supervision(license_type: str | None, hours: Mapping[str, int]) -> bool:
    return license_type is not None and hours.get(f"supervision_hours_{license_type.lower()}", 0) > 0


def can_finish_for_leaver(roles: Collection[str], is_supervisor: bool) -> bool:
    """Return whether a clinician can write the note of a session that somebody held who has left the practice.

    Their supervisor can, and an admin who is a clinician. They sign it in their own name.
    """
    return "clinician" in roles and ("admin" in roles or ("supervisor" in roles and is_supervisor))
