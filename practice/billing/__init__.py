"""Charges, claims and payments."""
