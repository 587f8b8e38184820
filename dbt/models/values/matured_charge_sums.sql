{{ day_sums('matured_charges') }}
