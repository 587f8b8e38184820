{{ dated_metric(
    fact='appointments',
    among='scheduled',
    counting="booked_via = 'PORTAL'"
) }}
