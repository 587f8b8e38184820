"""What a change of a staff member's supervisor, license or employment leaves to do about their notes."""

from practice.clinical.notes.rules.review import lacks_supervisor
from practice.people.models.practices import Staff
from practice.people.settings import list_effective_settings
from practice.security.work import Work

UNSUPERVISED = (
    "This license requires supervision hours, and nobody supervises this person, who signs notes without review. "
    "Set a supervisor."
)


def list_supervision_warnings(work: Work, staff: Staff) -> list[str]:
    """Return a warning if the staff member's license requires supervision and they have no supervisor."""
    if "clinician" not in staff.roles or staff.deactivated_at is not None:
        return []
    hours = {setting.key: setting.value for setting in list_effective_settings(work)}
    return [UNSUPERVISED] if lacks_supervisor(staff.license_type, staff.supervisor_id is not None, hours) else []
