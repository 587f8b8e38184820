"""Rules about appointments: booking, lifecycle, series, reminders."""
