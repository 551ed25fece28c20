"""The page of settings in a real browser: the checklist asks Ollama, and the theme is the same everywhere."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from jobs.tests import browsing
from jobs.tests.browsing import DESKTOP, PHONE, check_access, visit

studio, browser, owner = browsing.studio, browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser
THEME = "document.documentElement.dataset.theme"


def test_a_theme_follows_its_person_from_browser_to_browser_and_into_the_admin(
    studio: str, browser: Browser, owner: Any
) -> None:
    first = visit(browser.new_context(viewport=DESKTOP, storage_state=owner))  # type: ignore[arg-type]
    second = visit(browser.new_context(viewport=DESKTOP, storage_state=owner))  # type: ignore[arg-type]
    second.page.goto(studio)
    first.page.goto(f"{studio}/settings/")
    first.page.get_by_label("Theme").select_option("dark")
    first.page.get_by_role("button", name="Save").click()
    expect(first.page.locator("html")).to_have_attribute("data-theme", "dark")
    second.page.goto(f"{studio}/admin/")
    second.page.goto(studio)
    expect(second.page.locator("html")).to_have_attribute("data-theme", "dark")
    second.page.goto(f"{studio}/admin/")
    assert second.page.evaluate(THEME) == "dark"
    with second.page.expect_response(f"{studio}/api/v1/settings/"):
        second.page.locator("button.theme-toggle").first.click()
        switched = second.page.evaluate(THEME)
        second.page.goto(studio)
    assert switched != "dark"
    assert second.page.evaluate(THEME) == switched
    first.page.goto(f"{studio}/settings/")
    expect(first.page.locator("html")).to_have_attribute("data-theme", switched)
    assert first.worth_telling == second.worth_telling == []
    first.page.context.close()
    second.page.context.close()


@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_page_is_good_to_use(studio: str, browser: Browser, owner: Any, size: dict[str, int], theme: str) -> None:
    one = visit(browser.new_context(viewport=size, storage_state=owner))  # type: ignore[arg-type]
    page = one.page
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{studio}/settings/")
    page.get_by_label("Theme").select_option(theme)
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    line = page.locator("#ollama-check")
    expect(line).to_contain_text("4 models at")
    with page.expect_response(f"{studio}/settings/ollama/"):
        line.get_by_role("button", name="Test again").click()
    expect(line.get_by_role("button", name="Test again")).to_be_enabled()
    expect(page.locator("#ollama-models option")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.worth_telling == []
    check_access(page)
    page.context.close()
