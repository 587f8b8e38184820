"""Practices, staff and clients: their records, settings, coverages, consents, documents and intake forms."""
