"""All that a note is written from, in one statement: it is asked after every change, so round trips would show."""

from typing import Any, Final
from uuid import UUID

from shared.contracts.queries import GetSnapshot
from sqlalchemy.ext.asyncio import AsyncConnection

from fix_outcomes.domain import views
from fix_outcomes.domain.refusals import not_found
from fix_outcomes.storage import rows
from fix_outcomes.storage.database import driver_of
from fix_outcomes.storage.pages import fitting

MESSAGES: Final = 200
FACTS: Final = 500
TRANSITIONS: Final = 500

# Whole rows in arrays: the driver hands them over as it does single rows.
_SNAPSHOT: Final = """
select s as session,
  array(select f from suggested_fixes f
        where f.account_id = s.account_id and f.session_id = s.id
        order by f.created_at, f.id) as fixes,
  array(select m from messages m
        where m.account_id = s.account_id and m.session_id = s.id
        order by m.sequence desc limit $3) as messages,
  (select count(*) from messages m where m.account_id = s.account_id and m.session_id = s.id) as message_count,
  array(select f from facts f
        where f.account_id = s.account_id and f.session_id = s.id
        order by f.sequence desc limit $4) as facts,
  array(select j from journal j
        where j.account_id = s.account_id and j.session_id = s.id
          and (j.fix_id is not null or j.kind in ('session.resolved', 'session.escalated'))
          and j.kind not in ('fix.outcome_proposed', 'fix.outcome_proposal_cleared')
        order by j.sequence desc limit $5) as transitions
from sessions s
where s.account_id = $1 and s.id = $2
"""


async def snapshot(connection: AsyncConnection, account_id: UUID, ask: GetSnapshot) -> dict[str, Any]:
    """A session with the newest that was said, known and done, oldest first; never the AI's proposal."""
    driver = await driver_of(connection)
    found = await driver.fetch(_SNAPSHOT, account_id, ask.session_id, MESSAGES, FACTS, TRANSITIONS)
    for row in found:
        session = rows.session(row["session"])
        fixes = (views.fix(rows.fix(each), session) for each in row["fixes"])
        return {
            "session": views.session(session),
            "fixes": [fix | {"ai_outcome_proposal": None} for fix in fixes],
            "messages": fitting(views.message(rows.message(each)) for each in row["messages"])[::-1],
            "message_count": row["message_count"],
            "facts": [views.fact(rows.fact(each)) for each in reversed(row["facts"])],
            "transitions": [rows.history_entry(each) for each in reversed(row["transitions"])],
        }
    raise not_found()
