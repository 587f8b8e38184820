{{ state_steps('unsigned_sessions') }}
