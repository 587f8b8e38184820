{{ state_metric(
    fact='client_spans',
    counting='informed_treatment'
) }}
