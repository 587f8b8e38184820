{{ state_sums('backlog_alert_steps', 'backlog_alerts') }}
