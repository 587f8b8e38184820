{{ dated_metric(
    fact='supervision_sessions',
    among='note_due_passed',
    counting="note_signed_at <= note_due_at"
) }}
