"""Treatment plans, plan reviews and safety plans."""
