"""The status page in a real browser: both themes, wide and on a phone, refreshing itself without a sound."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from jobs.tests import browsing
from jobs.tests.browsing import DESKTOP, check_access, visit

studio, browser, owner = browsing.studio, browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser


def test_the_status_page_shows_a_well_studio(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    page.goto(f"{studio}/status/")
    expect(page.locator("h1")).to_have_text("Status")
    expect(page.locator(".status-list li").first).to_contain_text("Database")
    expect(page.locator(".status-list .pill.failed")).to_have_count(0)
    with page.expect_response("**/status/checks/", timeout=25_000) as answered:
        pass
    assert answered.value.status == 200
    expect(page.locator("#status-checks")).to_have_count(1)
    assert one.worth_telling == []
    check_access(page)
    context.close()
