"""The hot path: a batch of commands read and written in a handful of statements, whatever its size.

The rows travel as JSON arrays and are unfolded by `json_populate_recordset`, which knows the tables' types.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from shared.contracts.commands import Command, CreateSession, FixAction

from fix_outcomes.domain.batch import Known, Writes
from fix_outcomes.storage import rows
from fix_outcomes.storage.database import Raw

# Locked in one order, so that batches which share sessions wait for each other and never in a circle.
_LOCK_SESSIONS: Final = """
select * from sessions
where account_id = any ($1::uuid[]) and id = any ($2::uuid[])
order by id
for no key update
"""

# After the locks, in a statement of its own: what an earlier holder wrote is visible now.
_FIXES_AND_ANSWERS: Final = """
select
  array(select f from suggested_fixes f
        where f.account_id = any ($1::uuid[]) and f.session_id = any ($2::uuid[])
          and (f.id = any ($3::uuid[])
               or (f.superseded_at is null and f.status in ('proposed', 'applied_pending', 'applied_partial')))
        order by f.created_at, f.id) as fixes,
  array(select l from command_log l
        where l.account_id = any ($1::uuid[]) and l.command_id = any ($4::uuid[])) as answers,
  array(select row(j.account_id, j.command_id) from journal j
        where j.account_id = any ($1::uuid[]) and j.command_id = any ($4::uuid[])) as entered
"""

WRITE: Final = """
with created_sessions as (
    insert into sessions select * from json_populate_recordset(null::sessions, $1::json)
), changed_sessions as (
    update sessions s
    set status = n.status, state_version = n.state_version, sequence = n.sequence, updated_at = n.updated_at
    from json_populate_recordset(null::sessions, $2::json) n
    where s.account_id = n.account_id and s.id = n.id
), created_fixes as (
    insert into suggested_fixes select * from json_populate_recordset(null::suggested_fixes, $3::json)
), changed_fixes as (
    update suggested_fixes f
    set status = n.status, applied_at = n.applied_at, verified_at = n.verified_at,
        partial_notes = n.partial_notes, pending_reason = n.pending_reason, failure_reason = n.failure_reason,
        ai_outcome_proposal = n.ai_outcome_proposal, superseded_at = n.superseded_at, updated_at = n.updated_at
    from json_populate_recordset(null::suggested_fixes, $4::json) n
    where f.account_id = n.account_id and f.id = n.id
), new_messages as (
    insert into messages select * from json_populate_recordset(null::messages, $5::json)
), new_facts as (
    insert into facts select * from json_populate_recordset(null::facts, $6::json)
), entries as (
    insert into journal select * from json_populate_recordset(null::journal, $7::json)
), announced as (
    insert into outbox (session_id, sequence, traceparent)
    select session_id, sequence, traceparent from json_populate_recordset(null::outbox, $7::json)
)
insert into command_log select * from json_populate_recordset(null::command_log, $8::json)
"""


async def read_known(transaction: Raw, batch: Sequence[Command]) -> Known:
    """What the batch is about, its sessions locked until the transaction ends."""
    accounts = list({command.account_id for command in batch})
    sessions: set[UUID] = set()
    fixes: set[UUID] = set()
    for command in batch:
        if not isinstance(command.action, CreateSession):
            sessions.add(command.action.session_id)
        if isinstance(command.action, FixAction):
            fixes.add(command.action.fix_id)
    known = Known()
    if sessions:
        for row in await transaction.fetch(_LOCK_SESSIONS, accounts, list(sessions)):
            known.sessions[row["id"]] = rows.session(row)
    commands = [command.command_id for command in batch]
    [found] = await transaction.fetch(
        _FIXES_AND_ANSWERS, accounts, list(known.sessions), list(fixes), commands
    )
    for row in found["fixes"]:
        known.fixes.setdefault(row["session_id"], {})[row["id"]] = rows.fix(row)
    for row in found["answers"]:
        known.log[row["account_id"], row["command_id"]] = rows.logged(row)
    known.entered = {tuple(row) for row in found["entered"]}
    return known


async def write(transaction: Raw, writes: Writes) -> None:
    """All that the batch changes, in one statement: state, journal, outbox and command log agree row for row."""
    if not writes.log:
        return
    await transaction.execute(
        WRITE,
        rows.as_json(writes.created_sessions.values()),
        rows.as_json(writes.changed_sessions.values()),
        rows.as_json(writes.created_fixes.values()),
        rows.as_json(writes.changed_fixes.values()),
        rows.as_json(writes.messages),
        rows.as_json(writes.facts),
        rows.as_json(writes.entries),
        rows.as_json(writes.log),
    )


_PARKED: Final = """
insert into parked_commands (command_id, account_id, reason, parked_at)
select command_id, account_id, $3, $4 from unnest($1::uuid[], $2::uuid[]) as t (command_id, account_id)
on conflict (command_id) do update set reason = excluded.reason, parked_at = excluded.parked_at
"""


class Named(NamedTuple):
    """A command of which no more need be known than whose it is."""

    command_id: UUID
    account_id: UUID


async def remember_parked(transaction: Raw, batch: Sequence[Named], *, reason: str, at: datetime) -> None:
    """Which commands wait for an operator, and why."""
    ids = {command.command_id: command.account_id for command in batch}
    await transaction.execute(_PARKED, list(ids), list(ids.values()), reason, at)
