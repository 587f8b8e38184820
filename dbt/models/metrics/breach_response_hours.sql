{{ dated_metric(
    fact='incidents',
    summing='responded_after_us'
) }}
