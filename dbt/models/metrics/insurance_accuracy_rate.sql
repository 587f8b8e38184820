{{ state_metric(
    fact='client_spans',
    among='not self_pay and covered',
    counting='verified'
) }}
