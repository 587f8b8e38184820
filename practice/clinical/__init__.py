"""Clinical notes, treatment plan reviews, supervision."""
