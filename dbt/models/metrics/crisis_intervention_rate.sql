{{ dated_metric(
    fact='appointments',
    among='completed',
    counting='has_crisis_note'
) }}
