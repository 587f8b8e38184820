"""Pay of clinicians: session completions, rates, pay periods and statements."""
