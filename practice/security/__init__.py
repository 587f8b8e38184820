"""Accounts, sign-in, permissions, the audit log and field encryption. Depends on no package but the store."""
