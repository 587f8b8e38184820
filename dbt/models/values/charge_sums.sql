{{ day_sums('charges', 'service_date') }}
