{{ state_steps('backlog_alerts') }}
