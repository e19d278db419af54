"""No account takes the event streams of all others."""

from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest
from gateway.problems import Problem
from gateway.updates import Updates
from hypothesis import given
from hypothesis import strategies as st
from shared.contracts.problems import ProblemCode
from unit.gateway.gateway_doubles import ACCOUNT, SESSION


def updates(*, viewers: int, viewers_each: int) -> Updates:
    return Updates(
        url="amqp://nowhere", replica="gateway-1", viewers=viewers, viewers_each=viewers_each, buffer=1
    )


async def test_an_account_with_all_its_streams_open_is_429_and_another_is_not() -> None:
    hub, other = updates(viewers=10, viewers_each=2), uuid4()
    async with AsyncExitStack() as open_streams:
        for session in (SESSION, uuid4()):
            await open_streams.enter_async_context(hub.watch(account_id=ACCOUNT, session_id=session))
        with pytest.raises(Problem) as refused:
            await open_streams.enter_async_context(hub.watch(account_id=ACCOUNT, session_id=SESSION))
        await open_streams.enter_async_context(hub.watch(account_id=other, session_id=SESSION))
    assert refused.value.code is ProblemCode.RATE_LIMITED
    assert refused.value.headers == {"Retry-After": "1"}


@given(turns=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=40))
async def test_streams_that_come_and_go_leave_the_seats_as_they_were(turns: list[tuple[int, bool]]) -> None:
    hub, accounts = updates(viewers=5, viewers_each=3), [UUID(int=number) for number in range(3)]
    watching: dict[int, list[AsyncExitStack]] = {number: [] for number in range(3)}
    for number, comes in turns:
        if comes:
            stream = AsyncExitStack()
            seats = hub.watch(account_id=accounts[number], session_id=SESSION)
            free = len(watching[number]) < 3 and sum(map(len, watching.values())) < 5
            try:
                await stream.enter_async_context(seats)
            except Problem:
                assert not free
            else:
                assert free
                watching[number].append(stream)
        elif watching[number]:
            await watching[number].pop().aclose()
        assert hub.viewers == sum(map(len, watching.values()))
    for stream in (each for streams in watching.values() for each in streams):
        await stream.aclose()
    assert hub.viewers == 0
    assert hub._viewers == {}
