{{ dated_metric(
    fact='appointments',
    among='completed and past_day',
    counting='charged'
) }}
