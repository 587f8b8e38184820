{{ dated_metric(
    fact='clinician_days',
    among='scheduled > 0',
    summing='sessions'
) }}
