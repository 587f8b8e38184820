{{ dated_metric(
    fact='appointments',
    among='completed and deadline_passed',
    counting='signed_at < deadline_at'
) }}
