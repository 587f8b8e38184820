"""Tables of notes, plans, reports, supervision and document templates."""
