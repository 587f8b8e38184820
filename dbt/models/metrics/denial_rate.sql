{{ dated_metric(
    fact='claims',
    date='adjudicated_on',
    counting="outcome = 'DENIED'"
) }}
