{{ day_sums('claims', 'submitted_on') }}
