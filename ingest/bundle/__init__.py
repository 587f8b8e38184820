"""The practice bundle: a practice's record as a folder or .zip of CSV files, imported and exported."""
