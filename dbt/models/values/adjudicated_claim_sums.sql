{{ day_sums('claims', 'adjudicated_on') }}
