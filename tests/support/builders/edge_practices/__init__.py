"""Small practices full of edge cases, made up from a seed: bundles, changed settings, and instants to compute as of."""
