"""The warehouse: copies of records, the dbt builds over them, and the published values."""
