"""Ollama out of reach: one quiet banner with the address tried, words where magic was asked for, and all else works."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from jobs.tests import browsing
from jobs.tests.browsing import DESKTOP, PATIENCE, visit
from prompts.tests.test_browser import IDEA, magic

browser, owner = browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with browsing.running_studio(tmp_path_factory.mktemp("studio"), OLLAMA_BASE_URL=NOWHERE) as url:
        yield url


def test_ollama_out_of_reach_is_told_and_everything_else_works(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    visitor = visit(context)
    page = visitor.page
    page.goto(f"{studio}/images/new/")
    expect(page.locator(".ollama-banner")).to_contain_text(NOWHERE)
    expect(page.locator(".ollama-banner .banner")).to_have_count(1)
    page.fill("[name=prompt]", f"{IDEA}, 1s")
    panel = magic(page, "id_prompt", "enhance")
    expect(panel.get_by_role("alert")).to_contain_text(NOWHERE, timeout=PATIENCE)
    expect(panel.get_by_role("button", name="Replace")).to_be_hidden()
    panel.get_by_role("button", name="Discard").click()
    page.click("button.create")
    expect(page.locator("#recent .job-card .pill").first).to_have_text("Done", timeout=PATIENCE)
    page.goto(f"{studio}/songs/new/")
    page.get_by_text("Choose words for the style").click()
    page.get_by_role("button", name="indie folk", exact=True).click()
    expect(page.locator("[name=prompt]")).to_have_value("indie folk")
    assert visitor.worth_telling == []
    context.close()
