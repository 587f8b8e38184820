-- Benchmarks and alert thresholds, from a day until another: the practice's settings, else the defaults
{{ metric_bounds() }}
