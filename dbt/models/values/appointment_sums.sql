{{ day_sums('appointments') }}
