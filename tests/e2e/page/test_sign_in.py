"""Who gets in, and as whom."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import httpx
import pytest
from devstack.stack import Stack
from e2e.client import Person
from e2e.conftest import DEMO
from e2e.page.conftest import OpenTab
from e2e.page.scenes import verifying
from e2e.page.tab import Tab
from playwright.async_api import expect


async def test_on_a_development_stack_one_chooses_who_to_be(open_tab: OpenTab) -> None:
    tab = await open_tab()
    await tab.page.get_by_role("button", name="Vera Novak").click()
    await expect(tab.page.get_by_text("Vera Novak · viewer")).to_be_visible()
    await tab.page.reload()
    await expect(tab.page.get_by_text("Vera Novak · viewer")).to_be_visible()
    await tab.page.get_by_role("button", name="Sign out").click()
    await expect(tab.page.get_by_label("Your token")).to_be_visible()


async def test_what_is_no_token_and_what_was_one_are_refused_in_words(
    open_tab: OpenTab, stack: Stack, engineer: Person
) -> None:
    tab = await open_tab()
    old = stack.token(account_id=engineer.account_id, ttl=timedelta(seconds=-1))
    for token, words in (("nonsense", "This is not a token."), (old, "This token has expired.")):
        await _enter(tab, token)
        await expect(tab.page.get_by_role("alert")).to_have_text(words)


async def test_a_forged_token_is_sent_back_to_the_sign_in(open_tab: OpenTab, engineer: Person) -> None:
    tab = await open_tab()
    await _enter(tab, engineer.token[:-4] + "AAAA")
    await expect(tab.page.get_by_role("dialog", name="Sign in again")).to_be_visible()


@pytest.mark.full
async def test_a_token_that_ends_costs_no_words(
    open_tab: OpenTab, stack: Stack, engineer: Person, program: Person
) -> None:
    fix = await verifying(engineer, program)
    token = partial(stack.token, account_id=engineer.account_id, sub=uuid4(), name="Ada")
    short, long = (token(ttl=timedelta(seconds=seconds)) for seconds in (6, 600))
    tab = await open_tab()
    await _enter(tab, short)
    await tab.page.get_by_role("main").get_by_role("link").click()
    await tab.choose("Partly…")
    await tab.banner.get_by_role("textbox").fill("Half of it, and")
    dialog = tab.page.get_by_role("dialog", name="Sign in again")
    await expect(dialog).to_be_visible()
    await tab.page.keyboard.press("Escape")
    await dialog.get_by_label("Your token").fill(long)
    await dialog.get_by_role("button", name="Sign in").click()
    await tab.live()
    await expect(tab.banner.get_by_role("textbox")).to_have_value("Half of it, and")
    await tab.because("Half of it, and the rest on Monday")
    await tab.shows("partial")
    assert (await engineer.fix(fix)).partial_notes == "Half of it, and the rest on Monday"


async def _enter(tab: Tab, token: str) -> None:
    await tab.page.get_by_label("Your token").fill(token)
    await tab.page.get_by_role("button", name="Sign in").click()


async def test_only_the_operator_s_people_can_be_chosen(http: httpx.AsyncClient, stack: Stack) -> None:
    offered = (await http.get(f"{stack.url()}/sign-in")).json()["people"]
    assert [person["name"] for person in offered] == [person["name"] for person in DEMO]
    stranger = {"person_id": "00000000-0000-4000-8000-000000000000"}
    assert (await http.post(f"{stack.url()}/sign-in", json=stranger)).status_code == 404
