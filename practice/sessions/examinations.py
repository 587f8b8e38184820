"""The examinations of `caseload doctor` that compare records with the audit log, by area."""

from collections.abc import Mapping

from practice.billing.verification import examine_ledger
from practice.clinical.deadlines.verification import examine_session_locks
from practice.clinical.notes.verification import examine_notes
from practice.payroll.verification import examine_closed_weeks
from practice.scheduling.appointments.verification import examine_prices
from practice.security.doctor import Examination
from practice.security.version_checks import examine_versions

EXAMINATIONS: Mapping[str, Examination] = {
    "notes": examine_notes,
    "session locks": examine_session_locks,
    "prices": examine_prices,
    "pay": examine_closed_weeks,
    "ledger": examine_ledger,
    "versions": examine_versions,
}
