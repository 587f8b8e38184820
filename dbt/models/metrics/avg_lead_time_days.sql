{{ dated_metric(
    fact='appointments',
    among='scheduled',
    summing='greatest(0, on_date - booked_on)'
) }}
