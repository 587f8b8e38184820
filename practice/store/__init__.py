"""PostgreSQL: embedded server, engine, tenant-scoped sessions, row-level security, roles, migrations."""
