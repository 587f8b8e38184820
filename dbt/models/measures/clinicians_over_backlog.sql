{{ state_metric(
    fact='backlog_alerts',
    summing='1',
    per='0'
) }}
