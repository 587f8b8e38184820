{{ state_sums('unsigned_sessions') }}
