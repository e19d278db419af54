"""The record: sessions, fixes, the journal, the outbox and the command log."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# One scalar subquery, so that the setting is read once for a statement and not once for a row.
OF_THE_BATCH = (
    "account_id = any ((select string_to_array(current_setting('app.accounts', true), ','))::uuid[])"
)

TABLES = """
create table sessions (
    id uuid primary key,
    account_id uuid not null,
    title text,
    status text not null check (status in ('active', 'resolved', 'escalated')),
    session_type text not null,
    intake_type text not null,
    intake_text text not null,
    ticket json,
    state_version integer not null check (state_version > 0),
    sequence integer not null check (sequence >= state_version),
    created_by json not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (account_id, id)
) with (fillfactor = 80);

create index sessions_newest on sessions (account_id, created_at desc, id desc);

create table suggested_fixes (
    id uuid primary key,
    account_id uuid not null,
    session_id uuid not null,
    title text not null,
    description text not null,
    confidence_pct smallint not null check (confidence_pct between 0 and 100),
    status text not null check (status in ('proposed', 'applied_pending', 'applied_partial',
                                           'applied_success', 'applied_failed', 'dismissed')),
    applied_at timestamptz,
    verified_at timestamptz,
    partial_notes text,
    pending_reason text,
    failure_reason text,
    ai_outcome_proposal json,
    superseded_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    foreign key (account_id, session_id) references sessions (account_id, id),
    check (status <> 'applied_pending' or pending_reason is not null),
    check (status <> 'applied_partial' or partial_notes is not null),
    check (status in ('proposed', 'dismissed') or applied_at is not null),
    check ((verified_at is not null) = (status in ('applied_success', 'applied_failed')))
) with (fillfactor = 80);

create index suggested_fixes_of_session on suggested_fixes (session_id, created_at, id);

create table messages (
    id uuid primary key,
    account_id uuid not null,
    session_id uuid not null,
    sequence integer not null,
    role text not null check (role in ('engineer', 'assistant', 'client')),
    content text not null,
    author json not null,
    created_at timestamptz not null,
    foreign key (account_id, session_id) references sessions (account_id, id),
    unique (session_id, sequence)
);

create table facts (
    id uuid primary key,
    account_id uuid not null,
    session_id uuid not null,
    sequence integer not null,
    text text not null,
    visibility text not null check (visibility in ('client', 'internal')),
    author json not null,
    created_at timestamptz not null,
    foreign key (account_id, session_id) references sessions (account_id, id),
    unique (session_id, sequence)
);

create table journal (
    session_id uuid not null,
    sequence integer not null check (sequence > 0),
    account_id uuid not null,
    state_version integer not null,
    kind text not null,
    fix_id uuid,
    from_status text,
    to_status text,
    notes text,
    actor json not null,
    at timestamptz not null,
    command_id uuid not null unique,
    data json not null,
    primary key (session_id, sequence)
);

create table outbox (
    position bigint generated always as identity,
    session_id uuid not null,
    sequence integer not null,
    published_at timestamptz,
    primary key (session_id, sequence)
) with (fillfactor = 80);

create index outbox_unpublished on outbox (position) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;

create table command_log (
    command_id uuid primary key,
    account_id uuid not null,
    fingerprint text not null,
    status smallint not null,
    answer json not null,
    accepted_at timestamptz not null,
    decided_at timestamptz not null
);

create index command_log_oldest on command_log (decided_at);

create table parked_commands (
    command_id uuid primary key,
    account_id uuid not null,
    reason text not null,
    parked_at timestamptz not null
);
"""

OF_AN_ACCOUNT = (
    "sessions",
    "suggested_fixes",
    "messages",
    "facts",
    "journal",
    "command_log",
    "parked_commands",
)

RIGHTS = """
grant select, insert, update on sessions, suggested_fixes, parked_commands to fix_outcomes;
grant select, insert on messages, facts, journal, command_log to fix_outcomes;
grant insert on outbox to fix_outcomes;
grant select on journal to fix_outcomes_relay;
grant select, update (published_at), delete on outbox to fix_outcomes_relay;
grant select, delete on command_log, parked_commands to fix_outcomes_relay;
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in OF_AN_ACCOUNT:
        op.execute(f"alter table {table} enable row level security")
        op.execute(
            f"create policy of_the_batch on {table} to fix_outcomes"
            f" using ({OF_THE_BATCH}) with check ({OF_THE_BATCH})"
        )
    for table in ("journal", "command_log", "parked_commands"):
        op.execute(f"create policy relay on {table} to fix_outcomes_relay using (true)")
    for statement in RIGHTS.strip().splitlines():
        op.execute(statement)


def downgrade() -> None:
    for table in ("parked_commands", "command_log", "outbox", "journal", "facts", "messages", "suggested_fixes"):
        op.execute(f"drop table {table}")
    op.execute("drop table sessions")
