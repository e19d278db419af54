"""One tab as its user sees it: by the names of things, not by their markup."""

import re
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, expect

_SIGNED_IN = "sessionStorage.setItem('resolutionflow.token', {token!r})"
_HARMLESS = "Failed to load resource"
"""What the browser says of every refusal; the page's own words are tested."""


@dataclass
class Tab:
    page: Page
    complaints: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, context: BrowserContext, *, token: str | None, path: str) -> Self:
        page = await context.new_page()
        tab = cls(page)
        page.on("console", tab._listen)
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        if token:
            await page.add_init_script(_SIGNED_IN.format(token=token))
        await page.goto(path)
        return tab

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_HARMLESS):
            self.complaints.append(message.text)

    async def visit(self, session_id: UUID) -> None:
        await self.page.goto(f"/sessions/{session_id}")
        await self.live()

    async def live(self) -> None:
        await expect(self.page.get_by_text("Live", exact=True)).to_be_visible()

    @property
    def banner(self) -> Locator:
        return self.page.get_by_role("region", name="Outcome of the fix")

    @property
    def conversation(self) -> Locator:
        return self.page.get_by_role("log", name="Conversation")

    async def shows(self, mode: str) -> None:
        """The banner is in this mode; `none`: there is none."""
        shown = self.banner.locator("[data-mode]")
        if mode == "none":
            await expect(shown).to_have_count(0)
        else:
            await expect(shown).to_have_attribute("data-mode", mode)

    async def says(self, words: str) -> None:
        await expect(self.banner).to_contain_text(words)

    async def choose(self, label: str) -> None:
        """Press a button of the banner; of the menu, if it is there."""
        if label in ("Waiting to verify…", "Dismiss"):
            button = self.banner.get_by_role("button", name=label, exact=True)
            await expect(self.banner.get_by_role("button").first).to_be_visible()
            if not await button.count():
                await self.banner.get_by_role("button", name="More outcomes").click()
                await self.page.get_by_role("menuitem", name=label, exact=True).click()
                return
        await self.banner.get_by_role("button", name=label, exact=True).click()

    async def because(self, words: str, *, required: bool = True) -> None:
        """Fill in the form that is open in the banner, and record it; what is required is not recorded without."""
        record = self.banner.get_by_role("button", name=re.compile("^Record"))
        await self.banner.get_by_role("textbox").fill("   ")
        await (expect(record).to_be_disabled() if required else expect(record).to_be_enabled())
        await self.banner.get_by_role("textbox").fill(words)
        await record.click()

    async def say(self, words: str) -> None:
        box = self.page.get_by_role("textbox", name="Message")
        await box.fill(words)
        await box.press("Enter")
        await expect(self.conversation.get_by_text(words)).to_be_visible()

    async def turn_to(self, tab: str) -> Locator:
        """A tab of the side panel; gives its content."""
        await self.page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
        return self.page.get_by_role("tabpanel")
