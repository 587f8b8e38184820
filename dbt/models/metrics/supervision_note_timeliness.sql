{{ dated_metric(
    fact='supervision_sessions',
    among='seven_days_passed',
    counting="note_signed_at <= held_at + interval '168 hours'"
) }}
