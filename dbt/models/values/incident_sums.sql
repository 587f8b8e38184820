{{ day_sums('incidents') }}
