"""Charges and claims, payments and adjustments, and the ledger that is derived from them."""
