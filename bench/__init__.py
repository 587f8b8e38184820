"""Benchmarks against the targets, mostly as ratios within one run. `python -m bench.api` measures the HTTP service."""
