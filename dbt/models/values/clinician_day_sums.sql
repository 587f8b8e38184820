{{ day_sums('clinician_days') }}
