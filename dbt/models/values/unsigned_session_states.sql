{{ state_sums('unsigned_session_steps', 'unsigned_sessions') }}
