"""The whole way in a real browser on the embedded default: a picture made, found, rated, deleted and taken back."""

import base64
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from images.tests.factories import picture_file
from jobs.tests import browsing
from jobs.tests.browsing import DESKTOP, PATIENCE, PHONE, check_access, visit

studio, browser, owner = browsing.studio, browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser
HAS_LOADED = (
    "() => [...document.querySelectorAll('.tile img')].every(image => image.complete && image.naturalWidth > 0)"
)
# A clipboard with a picture in it, as the browser hands it over.
PASTE = """content => {
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def payload(content: bytes) -> FilePayload:
    return {"name": "a.png", "mimeType": "image/png", "buffer": content}


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def make_a_picture(page: Page, studio: str, prompt: str, *, count: int = 1) -> None:
    """Fill in the form and watch the card until the pictures stand in it."""
    page.goto(f"{studio}/images/new/")
    page.fill("[name=prompt]", prompt)
    page.select_option("[name=count]", str(count))
    page.press("[name=prompt]", "Control+Enter")
    card = page.locator("#recent .job-card").filter(has_text=prompt)
    expect(card).to_have_count(1)
    expect(page.locator("[name=prompt]")).to_have_value(prompt)  # the form keeps its content
    expect(card.locator(".pill")).to_have_text("Done", timeout=PATIENCE)
    expect(card.locator(".small-picture img")).to_have_count(count)


@pytest.mark.parametrize(
    ("size", "prompt", "word"), [(DESKTOP, "A lighthouse, 1s", "lighthouse"), (PHONE, "Snow on a hill, 1s", "snow")]
)
def test_a_newcomer_makes_a_picture_and_finds_rates_deletes_and_restores_it(
    studio: str, browser: Browser, owner: Any, size: dict[str, int], prompt: str, word: str
) -> None:
    context = browser.new_context(viewport=size, storage_state=owner, has_touch=size is PHONE)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    page.goto(studio)
    page.get_by_role("link", name="Images").first.click()
    expect(page.locator("h1")).to_have_text("Gallery")
    make_a_picture(page, studio, prompt)
    assert fits(page)

    page.goto(f"{studio}/images/")
    page.keyboard.press("/")
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/images/\?q={word}&"))
    tile = page.locator(".tile")
    expect(tile).to_have_count(1)
    page.wait_for_function(HAS_LOADED)
    assert fits(page)
    tile.locator("[data-tile]").focus()
    page.keyboard.press(".")
    expect(tile.locator(".tile-rate")).to_have_attribute("aria-pressed", "true")

    tile.locator("[data-tile]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(prompt)
    expect(page.get_by_role("button", name="Thumb up for this picture")).to_have_attribute("aria-pressed", "true")
    assert fits(page)
    page.fill("[name=title]", f"Named {word}")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text(f"Named {word}")

    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(rf"/images/\?q={word}&"))  # back in the same search
    expect(page.locator("#toasts")).to_contain_text("1 picture moved to the trash.")
    page.locator("#toasts").get_by_role("link", name="Undo").click()
    expect(page.locator("h1")).to_have_text("Trash")
    assert fits(page)
    page.get_by_role("button", name=f"Restore Named {word}").click()
    expect(page.locator("#toasts")).to_contain_text("1 picture is back.")
    page.goto(f"{studio}/images/?q={word}")
    expect(page.locator(".tile")).to_have_count(1)
    assert one.worth_telling == []
    context.close()


def test_the_price_follows_the_options_and_the_same_picture_is_not_paid_for_unasked(
    studio: str, browser: Browser, owner: Any
) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    page.goto(f"{studio}/images/new/")
    button = page.locator("button.create")
    expect(button).to_have_text("Create 1 picture, about $0.01")
    page.select_option("[name=count]", "2")
    expect(button).to_have_text("Create 2 pictures, about $0.03")
    page.select_option("[name=quality]", "xhigh")
    expect(button).to_have_text("Create 2 pictures, about $0.19")
    page.select_option("[name=model]", "gpt-image-2")  # it has no such quality
    expect(page.locator("[name=quality]")).to_have_value("medium")
    expect(button).to_have_text("Create 2 pictures, about $0.11")
    page.select_option("[name=model]", "gpt-image-2.6-flare")
    page.select_option("[name=count]", "1")
    button.click()
    expect(page.locator(".errorlist")).to_have_text("Describe the picture.")
    expect(page.locator("[name=prompt]")).to_be_focused()

    page.fill("[name=prompt]", "Only once, 1s")
    button.dblclick()
    cards = page.locator("#recent .job-card").filter(has_text="Only once")
    expect(cards).to_have_count(1)
    expect(cards.locator(".pill")).to_have_text("Done", timeout=PATIENCE)
    page.wait_for_timeout(1600)  # until then, a second click is the same click
    button.click()
    same = page.locator(".same")
    expect(same).to_contain_text("You have this picture already.")
    page.press("[name=prompt]", "Control+Enter")  # asks again, and does not pay
    expect(same).to_be_visible()
    page.wait_for_timeout(500)
    expect(cards).to_have_count(1)
    same.get_by_role("button", name="Make it again anyway").click()
    expect(cards).to_have_count(2)
    expect(same).to_have_count(0)
    assert one.worth_telling == []
    context.close()


def test_a_set_is_a_stack_whose_pictures_are_walked_through_by_keys(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    make_a_picture(page, studio, "Three boats, 1s", count=3)
    make_a_picture(page, studio, "One boat, 1s")
    page.goto(f"{studio}/images/")
    page.locator("[data-tile]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-tile]").nth(1)).to_be_focused()
    expect(page.locator(".tile").nth(1).locator(".tile-count")).to_contain_text("3")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Three boats, 1s")
    expect(page.locator(".tile")).to_have_count(3)
    page.locator("[data-tile]").first.click()
    expect(page.locator(".view")).to_have_count(1)
    before = page.url
    page.keyboard.press("ArrowRight")
    expect(page).not_to_have_url(before)
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(before)
    picture = page.locator(".view-picture img")
    small = picture.bounding_box()
    picture.click()
    large = picture.bounding_box()
    assert small
    assert large
    assert large["width"] == 1024 > small["width"]
    assert one.worth_telling == []
    context.close()


def test_pictures_are_chosen_tagged_saved_and_deleted(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    make_a_picture(page, studio, "Short lived, 1s")
    page.goto(f"{studio}/images/?q=lived")
    expect(page.locator(".bulk-bar")).to_be_hidden()
    page.locator("#select-mode").check(force=True)
    page.get_by_label("Choose Short lived, 1s").check()
    expect(page.locator("[data-chosen]")).to_have_text("1 chosen")
    with page.expect_download() as download:
        page.get_by_role("button", name="ZIP").click()
    assert download.value.suggested_filename == "pictures.zip"
    page.fill("#bulk-tag", "brief")
    page.get_by_role("button", name="Add tag").click()
    page.get_by_role("link", name="#brief").click()
    expect(page).to_have_url(re.compile("tag=brief"))
    page.locator("#select-mode").check(force=True)
    page.get_by_label("Choose Short lived, 1s").check()
    page.locator(".bulk-bar").get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("1 picture moved to the trash.")
    expect(page.locator(".tile")).to_have_count(0)
    assert one.worth_telling == []
    context.close()


def test_a_pasted_picture_becomes_a_reference_and_the_early_version_is_shown(
    studio: str, browser: Browser, owner: Any
) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    page.goto(f"{studio}/images/new/")
    page.evaluate(PASTE, base64.b64encode(picture_file((64, 64))).decode())
    expect(page.locator("#references .reference")).to_have_count(1)
    page.set_input_files("[name=files]", files=[payload(b"no picture")])
    expect(page.locator("#toasts")).to_contain_text("This is not a PNG, JPEG or WebP picture.")
    expect(page.locator("#references .reference")).to_have_count(1)
    page.locator("summary", has_text="More options").click()
    page.check("[name=shows_partial]")
    page.fill("[name=prompt]", "In the style of this, 6s")
    page.click("button.create")
    card = page.locator("#recent .job-card").filter(has_text="In the style")
    expect(card.locator(".job-preview img")).to_be_visible(timeout=PATIENCE)
    expect(card.locator(".pill")).to_have_text("Done", timeout=PATIENCE)
    card.locator(".small-picture").click()
    page.get_by_role("link", name="Make a variation").click()
    expect(page.locator("[name=prompt]")).to_have_value("In the style of this, 6s")
    expect(page.locator("#references .reference")).to_have_count(1)
    assert one.worth_telling == []
    context.close()


def test_without_script_a_picture_is_asked_for_rated_and_deleted(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner, java_script_enabled=False)  # type: ignore[arg-type]
    page = visit(context).page
    page.goto(f"{studio}/images/new/")
    page.fill("[name=prompt]", "Plain, 1s")
    page.select_option("[name=model]", "gpt-image-2")
    page.get_by_role("button", name="Show the options of this model").click()
    expect(page.locator("[name=prompt]")).to_have_value("Plain, 1s")
    page.set_input_files("[name=files]", files=[payload(picture_file((32, 32)))])
    page.click("button.create")
    expect(page.locator("h1")).to_have_text("Plain, 1s")
    for _try in range(40):
        if page.locator(".tile").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.get_by_role("button", name="Thumb up for Plain, 1s").click()
    expect(page.locator(".tile-rate")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-tile]").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".messages")).to_contain_text("1 picture moved to the trash.")
    context.close()


def test_no_page_of_pictures_keeps_anybody_out(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner, bypass_csp=True)  # type: ignore[arg-type]
    page = visit(context).page
    page.goto(f"{studio}/images/")
    image = page.locator("[data-tile]:not([href*='/sets/'])").first.get_attribute("href")
    several = page.locator("[data-tile][href*='/sets/']").first.get_attribute("href")
    for path in (
        "/images/",
        "/images/?q=xyzzy",
        "/images/new/",
        "/images/new/?model=gpt-image-1.5",
        "/images/trash/",
        str(image),
        str(several),
    ):
        page.goto(f"{studio}{path}")
        check_access(page, path)
    context.close()
