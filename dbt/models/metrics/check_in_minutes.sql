{{ dated_metric(
    fact='appointments',
    among='scheduled and checked_in',
    summing='waited_us'
) }}
