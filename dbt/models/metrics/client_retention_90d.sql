{{ dated_metric(
    fact='retention_cohorts',
    counting='retained'
) }}
