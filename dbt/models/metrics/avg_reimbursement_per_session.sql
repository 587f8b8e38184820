{{ dated_metric(
    fact='appointments',
    among='completed',
    summing='applied_cents'
) }}
