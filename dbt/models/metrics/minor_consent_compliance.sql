{{ state_metric(
    fact='client_spans',
    among='minor',
    counting='guardian'
) }}
