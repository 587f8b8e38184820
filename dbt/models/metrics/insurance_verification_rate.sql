{{ dated_metric(
    fact='appointments',
    among="scheduled and status <> 'CANCELLED'",
    counting='verified_before'
) }}
