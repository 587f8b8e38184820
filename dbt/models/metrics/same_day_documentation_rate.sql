{{ dated_metric(
    fact='appointments',
    among='completed and past_day',
    counting='signed_on = on_date'
) }}
