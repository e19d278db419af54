from uuid import UUID, uuid4

from gateway.pace import Pace

ACCOUNT, OTHER = uuid4(), uuid4()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def turns(pace: Pace, account_id: UUID, count: int) -> int:
    """How many of so many requests may go on."""
    return sum(pace.wait_s(account_id) == 0 for _ in range(count))


def test_an_account_may_ask_as_often_at_once_as_its_burst() -> None:
    pace = Pace(per_s=2, burst=5, now=Clock())
    assert turns(pace, ACCOUNT, 9) == 5


def test_time_gives_turns_back_up_to_the_burst() -> None:
    clock = Clock()
    pace = Pace(per_s=2, burst=5, now=clock)
    turns(pace, ACCOUNT, 5)
    clock.now += 1
    assert turns(pace, ACCOUNT, 9) == 2
    clock.now += 1_000
    assert turns(pace, ACCOUNT, 9) == 5


def test_a_refusal_says_when_to_come_back() -> None:
    clock = Clock()
    pace = Pace(per_s=2, burst=1, now=clock)
    assert pace.wait_s(ACCOUNT) == 0
    clock.now += pace.wait_s(ACCOUNT)
    assert pace.wait_s(ACCOUNT) == 0


def test_one_account_does_not_slow_another() -> None:
    pace = Pace(per_s=2, burst=1, now=Clock())
    turns(pace, ACCOUNT, 9)
    assert pace.wait_s(OTHER) == 0


def test_it_remembers_a_bounded_number_of_accounts() -> None:
    pace = Pace(per_s=1, burst=1, now=Clock(), accounts=3)
    for _ in range(10):
        pace.wait_s(uuid4())
    assert len(pace._buckets) == 3
