{{ state_metric(
    fact='client_spans',
    counting='plan_reviewed'
) }}
