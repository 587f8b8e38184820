{{ dated_metric(
    fact='appointments',
    among='resolved',
    counting="status = 'NO_SHOW'"
) }}
