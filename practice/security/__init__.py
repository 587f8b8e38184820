"""Accounts, sign-in, permissions, the audit log and field encryption. Stands below every room but the store."""
