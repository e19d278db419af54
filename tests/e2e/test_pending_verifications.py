"""GET /pending-verifications: every parked fix of the account, and nobody else's."""

from e2e.client import Person, own_words

PENDING = "/api/v1/pending-verifications"


async def test_a_parked_fix_is_listed_with_its_reason_and_who_parked_it_until_there_is_a_verdict(
    engineer: Person,
) -> None:
    fix, reason = await engineer.applied_fix(), own_words()
    assert (await engineer.get(PENDING)).items == []
    parked = (await engineer.record(fix, "applied_pending", reason)).fix
    (item,) = (await engineer.get(PENDING)).items
    assert (item["reason"], item["parked_by"]["name"]) == (reason, "Ada")
    assert item["fix"]["allowed_outcomes"] == list(parked.allowed_outcomes)
    assert item["session"]["id"] == str(fix.session_id)
    await engineer.record(fix, "applied_failed")
    assert (await engineer.get(PENDING)).items == []


async def test_a_new_reason_keeps_the_place_and_the_one_who_parked_it(
    engineer: Person, colleague: Person
) -> None:
    first, second = await engineer.applied_fix(), await engineer.applied_fix()
    for fix in (first, second):
        await engineer.record(fix, "applied_pending", "waiting")
    since = (await engineer.get(PENDING)).items[0]["since"]
    await colleague.record(first, "applied_partial", "half of it")
    items = (await engineer.get(PENDING)).items
    assert [item["fix"]["id"] for item in items] == [str(first.id), str(second.id)]
    assert (items[0]["since"], items[0]["reason"]) == (since, "half of it")
    assert items[0]["parked_by"]["name"] == "Ada"


async def test_mine_are_those_that_i_parked(engineer: Person, colleague: Person) -> None:
    mine, theirs = await engineer.applied_fix(), await engineer.applied_fix()
    await engineer.record(mine, "applied_pending", "waiting")
    await colleague.record(theirs, "applied_pending", "waiting")
    listed = (await engineer.get(PENDING, params={"mine": "true"})).items
    assert [item["fix"]["id"] for item in listed] == [str(mine.id)]


async def test_the_pages_hold_every_fix_once_the_longest_wait_first(engineer: Person) -> None:
    fixes = [await engineer.applied_fix() for _ in range(5)]
    for fix in reversed(fixes):
        await engineer.record(fix, "applied_pending", "waiting")
    pages = await engineer.pages(PENDING, limit=2)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [item["fix"]["id"] for page in pages for item in page] == [str(fix.id) for fix in reversed(fixes)]


async def test_another_account_s_fixes_are_not_there(engineer: Person, stranger: Person) -> None:
    await engineer.record(await engineer.applied_fix(), "applied_pending", "waiting")
    assert (await stranger.get(PENDING)).items == []
