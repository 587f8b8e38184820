"""Rules of appointments: booking eligibility, lifecycle, series, reminders."""
