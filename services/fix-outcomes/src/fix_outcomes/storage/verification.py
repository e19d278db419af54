"""Whether the record agrees with itself: S4, S5 and S8 of the invariants, asked of the whole database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from fix_outcomes.domain.transitions import TRANSITIONS

_EXAMPLES: Final = 5

_GAPS = """
select session_id::text as what from journal group by session_id
having min(sequence) <> 1 or max(sequence) <> count(*)
"""

_SESSION_BEHIND = """
select s.id::text as what from sessions s
left join lateral (select sequence, state_version from journal j where j.session_id = s.id
                   order by sequence desc limit 1) last on true
where (s.sequence, s.state_version) is distinct from (last.sequence, last.state_version)
"""

_CHAIN = """
select session_id || '/' || sequence as what from (
    select session_id, sequence, from_status, kind,
           lag(to_status) over (partition by fix_id order by sequence) as before
    from journal where kind in ('fix.suggested', 'fix.outcome_recorded')) steps
where kind = 'fix.outcome_recorded' and from_status is distinct from before
"""

_FIX_BEHIND = """
select f.id::text as what from suggested_fixes f
left join lateral (select to_status from journal j where j.session_id = f.session_id and j.fix_id = f.id
                   and to_status is not null order by sequence desc limit 1) last on true
where f.status is distinct from last.to_status
"""

_ILLEGAL = """
select session_id || '/' || sequence as what from journal
where kind = 'fix.outcome_recorded'
  and (from_status || '>' || to_status) <> all ($1::text[])
"""

_WITHOUT_ENTRY = """
select kind || ' ' || id as what from (
    select 'session' as kind, id from sessions union all select 'fix', id from suggested_fixes
    union all select 'message', id from messages union all select 'fact', id from facts) things
where not exists (select from journal j where j.command_id = things.id)
"""

_WITHOUT_ANSWER = """
select j.session_id || '/' || j.sequence as what from journal j
where j.at > (select coalesce(min(decided_at), 'infinity') from command_log)
  and not exists (select from command_log l where l.command_id = j.command_id)
"""

_ANSWER_WITHOUT_ENTRY = """
select l.command_id::text as what from command_log l
where l.status = 201 and not exists (select from journal j where j.command_id = l.command_id)
"""

_WITHOUT_OUTBOX = """
select j.session_id || '/' || j.sequence as what from journal j
where j.at > (select coalesce(min(published_at), 'infinity') from outbox)
  and not exists (select from outbox o where (o.session_id, o.sequence) = (j.session_id, j.sequence))
"""

_OUTBOX_WITHOUT_ENTRY = """
select o.session_id || '/' || o.sequence as what from outbox o
where not exists (select from journal j where (j.session_id, j.sequence) = (o.session_id, o.sequence))
"""

_LEGAL: Final = [f"{before}>{after}" for before, following in TRANSITIONS.items() for after in following]

_CHECKS: Final[Sequence[tuple[str, str, str, tuple[object, ...]]]] = (
    ("S4", "sequences are 1..n without a gap", _GAPS, ()),
    ("S4", "a session is where its last entry says", _SESSION_BEHIND, ()),
    ("S4", "a fix's entries form a chain", _CHAIN, ()),
    ("S4", "a fix is where its last entry says", _FIX_BEHIND, ()),
    ("S5", "every transition is in the table", _ILLEGAL, (_LEGAL,)),
    ("S8", "everything that exists has the entry that made it", _WITHOUT_ENTRY, ()),
    ("S8", "every entry has its answer in the command log", _WITHOUT_ANSWER, ()),
    ("S8", "every creation that was answered has its entry", _ANSWER_WITHOUT_ENTRY, ()),
    ("S8", "every entry has its outbox row", _WITHOUT_OUTBOX, ()),
    ("S8", "every outbox row has its entry", _OUTBOX_WITHOUT_ENTRY, ()),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One question, how many rows say no, and the first of them."""

    invariant: str
    claim: str
    violations: int
    examples: tuple[str, ...]


async def verify(url: str) -> tuple[int, list[Check]]:
    """How many journal entries there are, and every check. `url`: the owner, who sees all accounts."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            entries: int = await connection.fetchval("select count(*) from journal")
            return entries, [await _run(connection, *check) for check in _CHECKS]
    finally:
        await connection.close()


async def _run(
    connection: Any, invariant: str, claim: str, query: str, arguments: tuple[object, ...]
) -> Check:
    found = await connection.fetch(query, *arguments)
    examples = tuple(row["what"] for row in found[:_EXAMPLES])
    return Check(invariant, claim, len(found), examples)
