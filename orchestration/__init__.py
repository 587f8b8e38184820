"""Dagster: the warehouse as a graph of assets, and when it is refreshed. Wiring only; rules are in other packages."""
