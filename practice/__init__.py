"""The practice itself: its records and its rules. No HTTP, no pipelines, no files of other systems."""
