{{ state_metric(
    fact='discipline_spans',
    counting='disciplines >= 2'
) }}
