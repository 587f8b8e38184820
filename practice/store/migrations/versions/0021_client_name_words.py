"""The words of clients' names, so that a search finds each of them"""

import sqlalchemy as sa
from alembic import op

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import protect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_name_words",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_client_name_words_tenant_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "word", name=op.f("pk_client_name_words")),
    )
    run_sql_file("0021_client_name_words.sql")
    op.execute("alter table clients no force row level security")  # the rows of every practice, hidden from the owner
    op.execute(
        "insert into client_name_words (tenant_id, client_id, word) select c.tenant_id, c.id, w.word from clients as c "
        "cross join lateral unnest(name_words(c.first_name || ' ' || c.last_name)) as w (word)"
    )
    op.execute("alter table clients force row level security")
    op.create_index(
        op.f("ix_client_name_words_tenant_id_word_client_id"),
        "client_name_words",
        ["tenant_id", "word", "client_id"],
        unique=False,
    )
    for statement in protect("client_name_words", "select", warehouse=False):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop trigger keep_name_words on clients")
    op.execute("drop function keep_name_words")
    op.execute("drop function name_words")
    op.drop_table("client_name_words")
