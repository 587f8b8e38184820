"""Measurements against the targets, as ratios within one run. `python -m bench.api` measures the HTTP service."""
