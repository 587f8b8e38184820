{{ state_sums('backlog_alerts') }}
