{{ state_metric(
    fact='client_spans',
    counting='has_complete_demographics and (self_pay or covered)'
) }}
