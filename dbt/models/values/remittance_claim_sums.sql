{{ day_sums('remittance_claims', 'received_on') }}
