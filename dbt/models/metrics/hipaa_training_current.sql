{{ state_metric(
    fact='staff_spans',
    counting='trained'
) }}
