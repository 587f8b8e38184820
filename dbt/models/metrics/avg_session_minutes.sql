{{ dated_metric(
    fact='appointments',
    among='completed',
    summing='lasted_us'
) }}
