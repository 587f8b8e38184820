"""Rules of which notes a supervisor reviews."""

from collections.abc import Mapping


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
