{{ config(materialized='view') }}
-- Every metric of each entity and period, with value and status
{{ metric_cells() }}
