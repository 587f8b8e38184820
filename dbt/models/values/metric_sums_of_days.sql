{{ config(materialized='view') }}
-- The same for days
{{ metric_sums(['day']) }}
