"""Manipulations of an audit log by an attacker who owns the database."""

from uuid import UUID

import psycopg

HASHED = """
    sha256({before} || convert_to(jsonb_build_array(
        tenant_id, seq, extract(epoch from at), account_id, session_id, request_id,
        action, subject_kind, subject_id, details
    )::text, 'UTF8'))
"""


class Forger:
    """A superuser with disabled triggers who forges one practice's log."""

    def __init__(self, connection: psycopg.Connection, tenant_id: UUID) -> None:
        self.connection = connection
        self.tenant_id = tenant_id
        connection.execute("set session_replication_role = replica")

    def run(self, statement: str, **values: object) -> None:
        self.connection.execute(statement, {"t": self.tenant_id, **values})  # ty: ignore[invalid-argument-type]

    def edit(self, seq: int) -> None:
        self.run("update audit_log set action = 'nothing.done' where tenant_id = %(t)s and seq = %(seq)s", seq=seq)

    def edit_details(self, seq: int) -> None:
        self.run("update audit_log set details = '{\"n\": -1}' where tenant_id = %(t)s and seq = %(seq)s", seq=seq)

    def delete(self, seq: int) -> None:
        self.run("delete from audit_log where tenant_id = %(t)s and seq = %(seq)s", seq=seq)

    def shift(self, first: int, by: int) -> None:
        move = "update audit_log set seq = seq + %(by)s where tenant_id = %(t)s and seq >= %(first)s"
        self.run(move, first=first, by=by + 1_000_000)  # in two steps, since numbers are unique at every moment
        self.run(move, first=1_000_000, by=-1_000_000)

    def delete_and_close_up(self, seq: int) -> None:
        self.delete(seq)
        self.shift(seq + 1, -1)
        self.run("update audit_heads set seq = seq - 1 where tenant_id = %(t)s")

    def insert_after(self, seq: int) -> None:
        """Insert an entry that is correctly chained to the one before it."""
        self.shift(seq + 1, 1)
        self.run("update audit_heads set seq = seq + 1 where tenant_id = %(t)s")
        self.append_copy(seq)

    def append_copy(self, seq: int) -> None:
        self.run(
            """
            insert into audit_log select tenant_id, %(seq)s + 1, at, account_id, session_id, request_id,
                action, subject_kind, subject_id, details, ''::bytea
            from audit_log where tenant_id = %(t)s and seq = %(seq)s
            """,
            seq=seq,
        )
        self.rechain(seq + 1, seq + 1)

    def swap(self, first: int, second: int) -> None:
        for seq, number in ((first, -1), (second, first), (-1, second)):
            self.run(
                "update audit_log set seq = %(number)s where tenant_id = %(t)s and seq = %(seq)s",
                seq=seq,
                number=number,
            )

    def cut_after(self, seq: int) -> None:
        self.run("delete from audit_log where tenant_id = %(t)s and seq > %(seq)s", seq=seq)
        self.point_head_at_end()

    def rewrite_from(self, seq: int) -> None:
        """Change an entry and rechain everything after it: a consistent log with another history."""
        self.edit(seq)
        self.rechain(seq, 1_000_000)
        self.point_head_at_end()

    def erase(self) -> None:
        self.run("delete from audit_log where tenant_id = %(t)s")
        self.run("delete from audit_heads where tenant_id = %(t)s")

    def spoil_head(self) -> None:
        self.run("update audit_heads set hash = sha256('something else') where tenant_id = %(t)s")

    def reformat(self, seq: int) -> None:
        """Write the same value differently: key order, blanks, an escape."""
        self.run(
            """
            update audit_log set details = replace(
                (select '{' || string_agg('  ' || to_json(key) || ' :  ' || value, ' , ' order by key desc) || ' }'
                from jsonb_each(details)), 'n', '\\u006e')::jsonb
            where tenant_id = %(t)s and seq = %(seq)s
            """,
            seq=seq,
        )

    def point_head_at_end(self) -> None:
        self.run("""
            update audit_heads as h set seq = l.seq, hash = l.hash from audit_log as l
            where h.tenant_id = %(t)s and l.tenant_id = %(t)s
                and l.seq = (select max(seq) from audit_log where tenant_id = %(t)s)
        """)

    def rechain(self, first: int, last: int) -> None:
        rows = self.connection.execute(
            "select seq from audit_log where tenant_id = %s and seq between %s and %s order by seq",
            (self.tenant_id, first, last),
        )
        before = "coalesce((select hash from audit_log where tenant_id = %(t)s and seq = %(seq)s - 1), '')"
        for (seq,) in rows.fetchall():
            hashed = HASHED.format(before=before)
            self.run(f"update audit_log set hash = {hashed} where tenant_id = %(t)s and seq = %(seq)s", seq=seq)
