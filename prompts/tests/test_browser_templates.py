"""Templates in a real browser: an edit that shows what it asks, versions compared, two of them tried side by side."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from jobs.tests import browsing
from jobs.tests.browsing import DESKTOP, PATIENCE, PHONE, check_access, visit

studio, browser, owner = browsing.studio, browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser


def open_template(page: Page, studio: str, name: str) -> None:
    page.goto(f"{studio}/templates/?category=images")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_have_text(name)


def check(page: Page) -> None:
    """Look for barriers, in a visit of its own: axe's styles would be complained about in ours."""
    with page.context.browser.new_page(storage_state=page.context.storage_state()) as other:  # type: ignore[union-attr]
        other.goto(page.url)
        check_access(other)


@pytest.mark.parametrize(("size", "theme", "name"), [(DESKTOP, "light", "Enhance"), (PHONE, "dark", "Translate")])
def test_a_template_is_edited_compared_and_tried(
    studio: str, browser: Browser, owner: Any, size: dict[str, int], theme: Any, name: str
) -> None:
    context = browser.new_context(viewport=size, storage_state=owner, color_scheme=theme)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    open_template(page, studio, name)
    check(page)
    page.get_by_role("link", name="Edit", exact=True).click()
    check(page)

    before = page.locator("[name=pre_condition]")
    before.fill(f"{before.input_value()}\nColours: {{colours}}")
    expect(page.locator("#preview .errorlist")).to_contain_text("not among the variables")  # while one writes
    page.locator("[name=variables-1-name]").fill("colours")
    page.locator("[name=variables-1-default]").fill(f"blue {theme}")
    expect(page.locator("#preview pre")).to_contain_text(f"Colours: blue {theme}")
    page.locator("[name=note]").fill(f"colours, {theme}")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.locator("#toasts, .messages").first).to_contain_text("saved")

    page.locator(".template-row").nth(1).get_by_role("link", name="Compare").click()
    expect(page.locator("ins").filter(has_text="colours").first).to_be_visible()
    check(page)

    open_template(page, studio, name)
    page.get_by_role("link", name="Test bench").click()
    page.locator("[name=text]").fill("a quiet lake in the morning")
    page.get_by_role("button", name="Write both").click()
    runs = page.locator(".bench-run")
    expect(runs).to_have_count(2)
    for number in range(2):
        expect(runs.nth(number).locator(".pill")).to_have_text("Done", timeout=PATIENCE)
        expect(runs.nth(number).locator(".bench-text")).not_to_be_empty()
        expect(runs.nth(number)).to_contain_text("tokens")
    check(page)

    page.goto(f"{studio}/templates/new/")
    page.get_by_role("button", name="Make the template").click()
    expect(page.locator(".errorlist").first).to_be_visible()
    assert one.worth_telling == []
    context.close()
