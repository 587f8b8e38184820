{{ day_sums('supervision_sessions') }}
