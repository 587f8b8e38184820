{{ day_sums('retention_cohorts') }}
