"""An independent, slow computation of all metrics from the rows of a bundle: loops over rows, exact fractions.

It is written from the words of the metric dictionary alone, and shares no code with the warehouse that it checks.
"""
