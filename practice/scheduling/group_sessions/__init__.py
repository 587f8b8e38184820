"""Group sessions: opening them, alone or in series, their seats, and cancelling or moving them as one."""
