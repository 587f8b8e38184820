"""Content, templates and search shared by notes and reports."""
