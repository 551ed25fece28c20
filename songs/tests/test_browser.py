"""The whole way in a real browser on the embedded default: first visit, a song made, heard, rated and found again."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from jobs.tests import browsing
from jobs.tests.browsing import DESKTOP, PATIENCE, PHONE, check_access, visit

studio, browser, owner = browsing.studio, browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser
LYRICS = "[Verse]\nRain on the roof, the city slows\n\n[Chorus]\nStay a while, stay a while"
HAS_PLAYED_TO = 'seconds => document.querySelector("#player audio").currentTime > seconds'
HAS_STARTED = """number => document.querySelector("#player audio").src.endsWith(
  document.querySelectorAll(".job-card [data-play]")[number].dataset.src)"""


def make_and_hear_a_song(page: Page, studio: str, title: str) -> None:
    """Fill in the form, watch the card, hear both choices, jump in one."""
    page.goto(f"{studio}/songs/new/")
    page.fill("[name=lyrics]", LYRICS)
    page.fill("[name=prompt]", "indie folk, 1s")
    page.fill("[name=title]", title)
    page.press("[name=lyrics]", "Control+Enter")
    card = page.locator("#recent .job-card").filter(has_text=title)
    expect(card).to_have_count(1)
    expect(page.locator("[name=lyrics]")).to_have_value(LYRICS)  # the form keeps its content
    expect(card.locator(".pill")).to_have_text("Done", timeout=PATIENCE)
    expect(card.locator("[data-play]")).to_have_count(2)
    for number in range(2):
        card.locator("[data-play]").nth(number).click()
        page.wait_for_function(HAS_STARTED, arg=number)
        page.wait_for_function(HAS_PLAYED_TO, arg=0.3)
    page.evaluate("document.querySelector('#player audio').currentTime = 20")
    page.wait_for_function(HAS_PLAYED_TO, arg=20.2)


@pytest.mark.parametrize(("size", "title"), [(DESKTOP, "Rain on the Roof"), (PHONE, "Snow on the Hill")])
def test_a_song_is_made_heard_rated_and_found_again(
    studio: str, browser: Browser, owner: Any, size: dict[str, int], title: str
) -> None:
    context = browser.new_context(viewport=size, storage_state=owner, has_touch=size is PHONE)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    make_and_hear_a_song(page, studio, title)

    page.locator("#recent .job-card").filter(has_text=title).get_by_role("link", name=title).click()
    expect(page.locator("h1")).to_have_text(title)
    assert page.evaluate("document.querySelector('#player audio').paused") is False  # it went on from page to page
    thumb = page.get_by_role("button", name="Thumb up for choice 1")
    thumb.click()
    expect(thumb).to_have_attribute("aria-pressed", "true")

    page.goto(f"{studio}/songs/")
    word = title.split(maxsplit=1)[0].lower()
    page.keyboard.press("/")
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{studio}/songs/?q={word}&ordering=-created_at")
    row = page.locator(".song-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(title)
    expect(row.locator(".thumb[aria-pressed=true]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert one.worth_telling == []
    context.close()


def test_the_price_follows_the_options_and_a_double_click_makes_one_song(
    studio: str, browser: Browser, owner: Any
) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    page.goto(f"{studio}/songs/new/")
    button = page.locator("button.create")
    expect(button).to_have_text("Create 2 songs, about $0.30")
    page.get_by_text("3", exact=True).click()
    page.select_option("[name=model]", "mureka-8")
    expect(button).to_have_text("Create 3 songs, about $0.135")
    button.click()
    expect(page.locator(".errorlist")).to_have_count(2)
    expect(page.locator("[name=lyrics]")).to_be_focused()
    page.fill("[name=lyrics]", LYRICS)
    page.fill("[name=prompt]", "waltz, 1s")
    page.fill("[name=title]", "Only once")
    button.dblclick()
    cards = page.locator("#recent .job-card").filter(has_text="Only once")
    expect(cards).to_have_count(1)
    expect(page.locator(".errorlist")).to_have_count(0)
    expect(cards.locator(".pill")).to_have_text("Done", timeout=PATIENCE)
    page.goto(f"{studio}/songs/?q=once")
    expect(page.locator(".song-row")).to_have_count(1)
    assert one.worth_telling == []
    context.close()


def test_the_page_of_a_running_song_shows_its_choices_by_itself(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    page.goto(f"{studio}/songs/new/?lyrics=La&title=By+itself&prompt=folk,+4s")
    page.click("button.create")
    page.locator("#recent").get_by_role("link", name="By itself").click()
    expect(page.locator("h1")).to_have_text("By itself")
    expect(page.locator(".job-card")).to_have_count(1)
    expect(page.locator(".choice")).to_have_count(2, timeout=PATIENCE)
    expect(page.locator(".page-head .pill")).to_have_text("Done")
    expect(page.locator(".job-card")).to_have_count(0)
    assert one.worth_telling == []
    context.close()


def test_songs_are_chosen_deleted_in_a_dialog_and_restored(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    page.goto(f"{studio}/songs/new/?kind=instrumental&title=Short+lived&prompt=0002+waltz,+1s")
    page.click("button.create")
    card = page.locator("#recent .job-card").filter(has_text="Short lived")
    expect(card.locator(".pill")).to_have_text("Failed", timeout=PATIENCE)
    expect(card).to_contain_text("Not charged.")
    page.goto(f"{studio}/songs/?q=lived")
    expect(page.locator(".bulk-bar")).to_be_hidden()
    page.locator("#select-mode").check(force=True)
    page.get_by_label("Choose Short lived").check()
    expect(page.locator("[data-chosen]")).to_have_text("1 song chosen")
    page.get_by_role("button", name="Delete…").click()
    dialog = page.locator("#ask")
    expect(dialog).to_contain_text("Delete “Short lived”")
    dialog.get_by_role("link", name="Keep").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Delete…").click()
    dialog.get_by_role("button", name="Move to the trash").click()
    page.locator("#toasts").get_by_role("link", name="Undo in the trash").click()
    expect(page.locator("h1")).to_have_text("Trash")
    page.get_by_role("button", name="Restore Short lived").click()
    expect(page.locator("#toasts")).to_contain_text("1 song is back in the library.")
    expect(page.locator("h1")).to_have_text("Short lived")
    assert one.worth_telling == []
    context.close()


def test_a_draft_survives_a_reload(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    page = visit(context).page
    page.goto(f"{studio}/songs/new/")
    page.fill("[name=lyrics]", "Half a verse")
    page.wait_for_timeout(500)  # a draft is kept when the typing rests
    page.reload()
    expect(page.locator("[name=lyrics]")).to_have_value("Half a verse")
    context.close()


def test_without_script_a_song_is_asked_for_rated_deleted_and_restored(
    studio: str, browser: Browser, owner: Any
) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner, java_script_enabled=False)  # type: ignore[arg-type]
    page = visit(context).page
    page.goto(f"{studio}/songs/new/")
    page.fill("[name=lyrics]", LYRICS)
    page.fill("[name=prompt]", "folk, 1s")
    page.fill("[name=title]", "Plain")
    page.click("button.create")
    expect(page.locator("h1")).to_have_text("Plain")
    for _try in range(40):
        if page.locator(".choice").count() and "Done" in page.locator(".page-head").inner_text():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.get_by_role("button", name="Thumb up for choice 1").click()
    expect(page.get_by_role("button", name="Thumb up for choice 1")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Move to the trash").click()
    page.locator(".messages").get_by_role("link", name="Undo in the trash").click()
    page.get_by_role("link", name="Plain").click()
    expect(page.locator(".banner")).to_contain_text("In the trash.")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(".messages")).to_contain_text("1 song is back in the library.")
    context.close()


def test_no_page_of_songs_keeps_anybody_out(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner, bypass_csp=True)  # type: ignore[arg-type]
    page = visit(context).page
    page.goto(f"{studio}/songs/")
    song = page.locator(".song-title a").first.get_attribute("href")
    for path in (
        "/songs/",
        str(song),
        "/songs/new/",
        "/jobs/",
        "/songs/account/",
        f"{song}delete/",
        "/songs/?q=0",
    ):
        page.goto(f"{studio}{path}")
        check_access(page, path)
    page.goto(f"{studio}{song}delete/")
    page.get_by_role("button", name="Move to the trash").click()
    expect(page.locator("#toasts")).to_contain_text("1 song moved to the trash")
    for path in ("/songs/trash/", str(song)):
        page.goto(f"{studio}{path}")
        check_access(page, f"{path} in the trash")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator("body")).to_contain_text("1 song is back in the library.")
    context.close()
