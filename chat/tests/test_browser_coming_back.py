"""Coming back to an answer in a real browser where one web process writes and answers: it is read as it is written."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from chat.tests.test_browser import context_for, say
from jobs.tests import browsing
from jobs.tests.browsing import PATIENCE, visit

browser, owner = browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with browsing.running_studio(tmp_path_factory.mktemp("studio"), WEB_PROCESSES="1") as url:
        yield url


def test_whoever_comes_back_to_an_answer_reads_along_and_may_stop_it(studio: str, browser: Browser, owner: Any) -> None:
    context = context_for(browser, owner)
    page = visit(context).page
    page.goto(f"{studio}/chat/")
    page.select_option("[name=preset]", label="Songwriter")
    say(page, "Write a song about a slow train, 3 words/s")
    expect(page.locator("[data-text]")).to_contain_text("[Verse", timeout=PATIENCE)
    address = page.url
    page.close()

    one = visit(context)
    one.page.goto(address)

    expect(one.page.locator(".answer[aria-busy]:not([data-live])")).to_have_count(1, timeout=PATIENCE)
    expect(one.page.locator("[data-text]")).to_contain_text("[Verse")
    assert one.page.locator("[data-text]").inner_text().count("[Verse") == 1
    one.page.locator("[data-stop]").click()
    expect(one.page.locator(".answer .pill")).to_have_text("Stopped")
    expect(one.page.locator(".answer .prose")).to_contain_text("[Verse")
    assert one.worth_telling == []
    context.close()
