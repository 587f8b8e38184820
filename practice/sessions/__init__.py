"""Services that combine scheduling, notes and pay: completing a session, queries, analytics, a client's timeline, and
the deadline job. They read and write through the packages that own the records."""
