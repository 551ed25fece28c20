"""The chat in a real browser on the embedded default: written to, streamed, stopped, come back to, used elsewhere."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from jobs.tests import browsing
from jobs.tests.browsing import DESKTOP, PATIENCE, PHONE, check_access, visit

studio, browser, owner = browsing.studio, browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser
COMPOSER = "#composer textarea"


def say(page: Page, text: str) -> None:
    page.fill(COMPOSER, text)
    page.locator("#composer button[type=submit]").click()


def context_for(browser: Browser, owner: Any, **options: Any) -> BrowserContext:
    return browser.new_context(storage_state=owner, **({"viewport": DESKTOP} | options))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["wide", "phone"])
def test_a_conversation_is_begun_streamed_and_its_answer_becomes_lyrics(
    studio: str, browser: Browser, owner: Any, size: dict[str, int]
) -> None:
    context = context_for(browser, owner, viewport=size, has_touch=size is PHONE)
    one = visit(context)
    page = one.page
    page.goto(f"{studio}/chat/")
    page.select_option("[name=preset]", label="Songwriter")
    say(page, "Write a song about rain")

    answer = page.locator(".answer")
    expect(answer.locator("[data-text]")).to_contain_text("[Verse")  # while it is written
    expect(page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}/$"))
    expect(page.locator("h1")).to_have_text("Write a song about rain")
    expect(answer.locator(".prose")).to_contain_text("[Chorus]", timeout=PATIENCE)
    expect(answer.locator(".message-foot")).to_contain_text("tokens/s")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    answer.get_by_role("button", name="Lyrics").click()
    expect(page).to_have_url(re.compile(r"/songs/new/\?prefill=.+"))
    expect(page.locator("[name=lyrics]")).to_have_value(re.compile(r"^\[Verse"))
    assert one.worth_telling == []
    context.close()


def test_an_answer_is_stopped_written_again_and_its_question_asked_again(
    studio: str, browser: Browser, owner: Any
) -> None:
    context = context_for(browser, owner)
    one = visit(context)
    page = one.page
    page.goto(f"{studio}/chat/")
    page.select_option("[name=preset]", label="Songwriter")
    page.fill(COMPOSER, "Write a song about snow")
    page.press(COMPOSER, "Shift+Enter")
    expect(page.locator(".answer")).to_have_count(0)
    page.press(COMPOSER, "Enter")
    expect(page.locator("[data-text]")).to_contain_text("[Verse")

    page.locator("[data-stop]").click()
    expect(page.locator(".answer .pill")).to_have_text("Stopped")
    expect(page.locator(".answer .prose")).to_contain_text("[Verse")

    page.get_by_role("button", name="Write again").click()
    expect(page.locator(".answer .siblings")).to_contain_text("2 / 2", timeout=PATIENCE)
    page.locator(".answer").get_by_role("button", name="The one before").click()
    expect(page.locator(".answer .pill")).to_have_text("Stopped")

    page.get_by_role("link", name="Edit and send again").click()
    page.fill("#edit-text", "Write a song about the sea")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".question .said")).to_have_text("Write a song about the sea")
    expect(page.locator(".answer .prose")).to_contain_text("sea", timeout=PATIENCE)
    expect(page.locator(".question .siblings")).to_contain_text("2 / 2")
    say(page, "And now?")
    expect(page.locator(".answer .prose")).to_have_count(2, timeout=PATIENCE)
    assert one.worth_telling == []
    context.close()


def test_an_answer_is_whole_for_whoever_comes_back_to_a_closed_page(studio: str, browser: Browser, owner: Any) -> None:
    context = context_for(browser, owner)
    page = visit(context).page
    page.goto(f"{studio}/chat/")
    page.select_option("[name=preset]", label="Songwriter")
    say(page, "Write a song about a train")
    expect(page.locator("[data-text]")).to_contain_text("[Verse")
    address = page.url
    page.close()

    one = visit(context)
    one.page.goto(address)  # perhaps it is being written still: then the page asks for it

    expect(one.page.locator(".answer .prose")).to_contain_text("[Chorus]", timeout=PATIENCE)
    assert one.worth_telling == []
    context.close()


def test_a_draft_survives_a_reload_and_is_forgotten_when_it_is_sent(studio: str, browser: Browser, owner: Any) -> None:
    context = context_for(browser, owner)
    page = visit(context).page
    page.goto(f"{studio}/chat/")
    page.locator(COMPOSER).press_sequentially("Half a thou")
    page.wait_for_timeout(500)
    page.reload()
    expect(page.locator(COMPOSER)).to_have_value("Half a thou")
    page.press(COMPOSER, "Enter")
    expect(page.locator(".answer .prose")).to_have_count(1, timeout=PATIENCE)

    page.goto(f"{studio}/chat/")

    expect(page.locator(COMPOSER)).to_have_value("")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    context.close()


def test_the_chat_works_without_a_script(studio: str, browser: Browser, owner: Any) -> None:
    context = context_for(browser, owner, java_script_enabled=False)
    page = visit(context).page
    page.goto(f"{studio}/chat/")
    say(page, "Say good morning")
    expect(page.locator(".answer")).to_have_count(1)
    for _look in range(60):
        if page.locator(".answer .prose").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator(".answer .prose")).to_have_count(1)
    context.close()


def test_the_pages_have_no_barrier(studio: str, browser: Browser, owner: Any) -> None:
    context = context_for(browser, owner)
    page = visit(context).page
    page.goto(f"{studio}/chat/")
    page.wait_for_load_state("networkidle")
    say(page, "List **three** colours")
    expect(page.locator(".answer .prose")).to_have_count(1, timeout=PATIENCE)
    conversation = page.url
    for address in (conversation, f"{studio}/chat/", f"{studio}/chat/?archived=true", f"{conversation}rename/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        check_access(page)
    context.close()
