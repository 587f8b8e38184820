{{ dated_metric(
    fact='appointments',
    among='completed',
    counting='rebooked'
) }}
