{{ state_metric(
    fact='client_spans',
    among='high_risk',
    counting='safety_plan'
) }}
