{{ dated_metric(
    fact='appointments',
    among='resolved',
    counting="status = 'CANCELLED'"
) }}
