{{ dated_metric(
    fact='appointments',
    among='completed and note_due_passed',
    counting="signed_at <= note_due_at"
) }}
