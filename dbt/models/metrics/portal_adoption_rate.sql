{{ state_metric(
    fact='client_spans',
    counting='portal'
) }}
