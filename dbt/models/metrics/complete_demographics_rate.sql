{{ state_metric(
    fact='client_spans',
    counting='complete_demographics and (self_pay or covered)'
) }}
