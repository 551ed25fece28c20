"""Magic in a real browser on the embedded default: nothing is overwritten unasked, and no word is lost."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from jobs.tests import browsing
from jobs.tests.browsing import DESKTOP, PATIENCE, PHONE, Visit, check_access, visit

studio, browser, owner = browsing.studio, browsing.browser, browsing.owner  # fixtures
pytestmark = pytest.mark.browser
IDEA = "a lighthouse in the fog"
SLOW = "8 words/s"  # heeded by the imitated Ollama
LYRICS = "[Verse]\nRain on the roof, the city slows\nA yellow light in all the windows"
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])

# Compares thousands of pairs in the page: what diff.js finds must make both texts whole again.
COMPARING = """async () => {
  const entry = document.querySelector("script[type=module]").src;
  const { compare, show } = await import(entry.replace(/macai[^/]*$/, "diff.js"));
  const whole = (pieces, left) => pieces.filter(({ kind }) => kind !== left).map(({ text }) => text).join("");
  let seed = 7;
  const next = (most) => { seed = (seed * 48271) % 2147483647; return Math.floor(seed / 2147483647 * most); };
  const words = ["a", "b", "rain", "roof", " ", "\\n", "\\r\\n", "é", ",", "😀", "<b>", "\\u202e", "\\ud83d"];
  const text = (count) => Array.from({ length: count }, () => words[next(words.length)]).join("");
  const pairs = Array.from({ length: 2000 }, () => [text(next(14)), text(next(14))]);
  pairs.push([text(70000), text(70000)], ["a".repeat(200000), "a ".repeat(100000)], ["", text(9)], [text(9), ""]);
  const wrong = pairs.filter(([before, after]) => {
    const pieces = compare(before, after);
    return whole(pieces, "add") !== before || whole(pieces, "cut") !== after;
  });
  const box = document.createElement("div");
  show(box, compare("one <b>two</b>", "one <img src=x onerror=alert(1)> two"));
  const small = compare("A cat sat.", "A black cat sat.");
  const foreign = box.querySelectorAll(":not(span, ins, del)").length;
  return [wrong.length, foreign, box.querySelectorAll("ins").length > 0, small];
}"""


@pytest.fixture
def one(browser: Browser, owner: Any) -> Iterator[Visit]:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner)  # type: ignore[arg-type]
    visitor = visit(context)
    yield visitor
    assert visitor.worth_telling == []
    context.close()


def open_menu(page: Page, field: str) -> Locator:
    page.locator(f"[data-magic][data-field={field}]").click()
    menu = page.locator("#magic-menu")
    expect(menu.locator("[data-magic-offer]").first).to_be_visible()
    return menu


def magic(page: Page, field: str, action: str) -> Locator:
    """Run a template on a field; its panel."""
    offer = open_menu(page, field).locator(f"[data-magic-offer][data-action={action}]")
    if offer.locator("details:not([open])").count():
        offer.locator("summary").click()
    offer.locator("[data-magic-run]").click()
    return panel_of(page, field)


def panel_of(page: Page, field: str) -> Locator:
    return page.locator(f"[data-magic-slot={field}] .magic-panel")


def press(panel: Locator, name: str) -> None:
    panel.get_by_role("button", name=name, exact=True).click()


def wait_until_done(panel: Locator) -> None:
    expect(panel.get_by_role("button", name="Again")).to_be_visible(timeout=PATIENCE)


@SIZES
def test_a_newcomer_enhances_a_prompt_sees_what_changed_takes_it_and_undoes_it(
    studio: str, browser: Browser, owner: Any, size: dict[str, int]
) -> None:
    context = browser.new_context(viewport=size, storage_state=owner, has_touch=size is PHONE)  # type: ignore[arg-type]
    visitor = visit(context)
    page = visitor.page
    page.goto(f"{studio}/images/new/")
    page.fill("[name=prompt]", IDEA)
    panel = magic(page, "id_prompt", "enhance")
    wait_until_done(panel)
    expect(panel.locator("ins").first).to_be_visible()
    expect(panel.locator("[data-part=facts]")).to_contain_text("version 1 · llama3.2:latest")
    expect(page.locator("[name=prompt]")).to_have_value(IDEA)  # nothing is overwritten unasked

    press(panel, "Replace")
    made = page.locator("[name=prompt]").input_value()
    assert made.startswith(IDEA)
    assert len(made) > len(IDEA)
    expect(panel.get_by_role("button", name="Undo")).to_be_focused()
    press(panel, "Undo")
    expect(page.locator("[name=prompt]")).to_have_value(IDEA)
    expect(page.locator("[name=prompt_run]")).to_have_value("")
    press(panel, "Redo")
    expect(page.locator("[name=prompt]")).to_have_value(made)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.fill("[name=prompt]", f"{made}, 1s")
    page.click("button.create")
    card = page.locator("#recent .job-card").first
    expect(card.locator(".pill")).to_have_text("Done", timeout=PATIENCE)
    card.get_by_role("link").first.click()
    page.get_by_text("How this prompt came about").click()
    story = page.locator(".story")
    expect(story).to_contain_text("Template images/enhance, version 1")
    expect(story.locator("#prompt-magic ins").first).to_be_visible()
    expect(story).to_contain_text("What was changed by hand afterwards")
    assert visitor.worth_telling == []
    context.close()


def test_undo_after_further_writing_asks_first_and_takes_nothing_away_for_good(studio: str, one: Visit) -> None:
    page, prompt = one.page, one.page.locator("[name=prompt]")
    page.goto(f"{studio}/images/new/")
    prompt.fill(IDEA)
    panel = magic(page, "id_prompt", "enhance")
    wait_until_done(panel)
    press(panel, "Replace")
    prompt.press_sequentially(", by hand")
    written_on = prompt.input_value()
    press(panel, "Undo")
    expect(panel.get_by_role("alertdialog")).to_contain_text("You have written on since.")
    expect(prompt).to_have_value(written_on)
    press(panel, "Leave it")
    expect(panel.get_by_role("alertdialog")).to_be_hidden()
    expect(prompt).to_have_value(written_on)
    press(panel, "Undo")
    press(panel, "Go ahead")
    expect(prompt).to_have_value(IDEA)
    press(panel, "Redo")
    expect(prompt).to_have_value(written_on)


def test_what_was_written_meanwhile_is_not_replaced_unasked(studio: str, one: Visit) -> None:
    page, prompt = one.page, one.page.locator("[name=prompt]")
    page.goto(f"{studio}/images/new/")
    prompt.fill(IDEA)
    panel = magic(page, "id_prompt", "enhance")
    wait_until_done(panel)
    prompt.fill("my own new words")
    press(panel, "Replace")
    expect(panel.get_by_role("alertdialog")).to_contain_text("You have changed the text since magic began.")
    expect(prompt).to_have_value("my own new words")
    press(panel, "Leave it")
    press(panel, "Append")
    assert prompt.input_value().startswith("my own new words\n\n" + IDEA)
    press(panel, "Undo")
    expect(prompt).to_have_value("my own new words")


def test_a_text_is_stopped_in_the_middle_and_can_be_used(studio: str, one: Visit) -> None:
    page = one.page
    page.goto(f"{studio}/songs/new/")
    page.fill("[name=lyrics]", f"{LYRICS}\n{SLOW}")
    panel = magic(page, "id_lyrics", "improve")
    expect(panel.locator("[data-part=text]")).to_contain_text("[Verse]", timeout=PATIENCE)
    expect(panel.get_by_role("status")).to_have_text("Writing…")
    press(panel, "Stop")
    expect(panel.get_by_role("status")).to_contain_text("Stopped.")
    press(panel, "Replace")
    assert page.locator("[name=lyrics]").input_value().startswith("[Verse]")
    assert len(page.locator("[name=lyrics]").input_value()) < len(LYRICS)


def test_written_again_keeps_what_was_written_before(studio: str, one: Visit) -> None:
    page = one.page
    page.goto(f"{studio}/images/new/")
    page.fill("[name=prompt]", IDEA)
    panel = magic(page, "id_prompt", "enhance")
    wait_until_done(panel)
    first = panel.locator("[data-part=text]").inner_text()
    press(panel, "Again")
    expect(panel.locator("[data-part=place]")).to_have_text("2 of 2")
    wait_until_done(panel)
    panel.get_by_role("button", name="The answer before").click()
    expect(panel.locator("[data-part=text]")).to_have_text(first)
    press(panel, "Discard")
    expect(panel).to_have_count(0)
    expect(page.locator("[name=prompt]")).to_have_value(IDEA)
    expect(page.locator("[name=prompt]")).to_be_focused()


def test_fields_are_independent_and_survive_a_form_with_errors_and_a_reload(studio: str, one: Visit) -> None:
    page = one.page
    page.goto(f"{studio}/songs/new/")
    page.fill("[name=lyrics]", f"{LYRICS}\n{SLOW}")
    page.fill("[name=prompt]", "folk")
    lyrics = magic(page, "id_lyrics", "improve")
    style = magic(page, "id_prompt", "enhance")
    wait_until_done(style)
    expect(lyrics.get_by_role("button", name="Stop")).to_be_visible()  # both at once
    offer = open_menu(page, "id_lyrics").locator("[data-action=shorten]")
    offer.locator("summary").click()
    offer.locator("[data-magic-run]").click()
    expect(page.locator("#magic-menu")).to_contain_text("Stop it first.")
    page.keyboard.press("Escape")
    press(style, "Replace")
    page.fill("[name=title]", "x" * 501)
    page.click("button.create")
    expect(page.locator("[name=title]")).to_have_attribute("aria-invalid", "true")  # the form was replaced
    expect(lyrics).to_have_count(1)
    expect(style.get_by_role("button", name="Undo")).to_be_visible()
    wait_until_done(lyrics)
    text = lyrics.locator("[data-part=text]").inner_text()
    run = page.locator("[name=prompt_run]").input_value()
    assert run
    page.fill("[name=title]", "")
    page.wait_for_timeout(500)  # a draft is kept when the typing rests
    page.reload()
    expect(lyrics.locator("[data-part=text]")).to_have_text(text)
    expect(page.locator("[name=prompt_run]")).to_have_value(run)
    press(panel_of(page, "id_prompt"), "Undo")
    expect(page.locator("[name=prompt]")).to_have_value("folk")


def test_a_text_that_was_streaming_when_the_page_was_left_is_whole_when_one_comes_back(studio: str, one: Visit) -> None:
    page = one.page
    page.goto(f"{studio}/songs/new/")
    page.fill("[name=lyrics]", f"{LYRICS}\n{SLOW}")
    magic(page, "id_lyrics", "improve")
    expect(panel_of(page, "id_lyrics").locator("[data-part=text]")).to_contain_text("[Verse]", timeout=PATIENCE)
    page.wait_for_timeout(500)  # for the draft
    page.reload()
    panel = panel_of(page, "id_lyrics")
    expect(panel).to_have_count(1)
    wait_until_done(panel)
    expect(panel.get_by_role("status")).to_contain_text("Done:")
    expect(panel.locator("[data-part=text]")).to_contain_text("windows")


@SIZES
def test_lyrics_are_built_with_the_architect(studio: str, browser: Browser, owner: Any, size: dict[str, int]) -> None:
    context = browser.new_context(viewport=size, storage_state=owner, has_touch=size is PHONE)  # type: ignore[arg-type]
    visitor = visit(context)
    page = visitor.page
    page.goto(f"{studio}/songs/new/")
    page.get_by_role("link", name="Lyric architect").click()
    names = page.locator(".section-name")
    page.get_by_role("button", name="Folk", exact=True).click()
    expect(names).to_have_text(["Verse", "Refrain", "Verse", "Refrain", "Verse", "Refrain"])
    if size is DESKTOP:
        page.locator(".section-grip").nth(3).drag_to(page.locator(".section").first, target_position={"x": 60, "y": 4})
        expect(names).to_have_text(["Refrain", "Verse", "Refrain", "Verse", "Verse", "Refrain"])
    page.get_by_role("button", name="Move Refrain down").first.click()
    page.get_by_role("button", name="Bridge", exact=True).click()
    hint = page.get_by_label("What happens in Bridge (section 7)")
    expect(hint).to_be_focused()
    hint.fill("the platform is empty")
    page.get_by_role("button", name="Move Bridge up").click()
    expect(page.get_by_role("button", name="Move Bridge up")).to_be_focused()
    expect(page.get_by_label("What happens in Bridge (section 6)")).to_have_value("the platform is empty")
    page.get_by_role("button", name="Take Bridge out").click()
    expect(names).to_have_count(6)
    page.get_by_label("What the song is about").fill("two people miss the last train")
    page.locator("[name=hint]").first.fill("the doors close")
    page.reload()
    page.get_by_role("link", name="Lyric architect").click()
    expect(page.locator("[name=hint]").first).to_have_value("the doors close")  # the plan survives a reload
    expect(page.get_by_label("What the song is about")).to_have_value("two people miss the last train")
    expect(names).to_have_count(6)
    page.get_by_role("button", name="Write the lyrics").click()
    panel = panel_of(page, "id_lyrics")
    wait_until_done(panel)
    press(panel, "Replace")
    lyrics = page.locator("[name=lyrics]").input_value()
    assert lyrics.count("[Verse]") == 3, lyrics
    assert lyrics.count("[Refrain]") == 3
    assert page.locator("[name=lyrics_run]").input_value()
    assert visitor.worth_telling == []
    context.close()


def test_a_style_is_chosen_word_by_word_and_taken_out_again(studio: str, one: Visit) -> None:
    page, style = one.page, one.page.locator("[name=prompt]")
    page.goto(f"{studio}/songs/new/?kind=instrumental")
    style.fill("my own words,")
    page.get_by_text("Choose words for the style").click()
    page.get_by_role("button", name="indie folk", exact=True).click()
    page.get_by_label("Search the words").fill("felt")
    expect(page.get_by_role("button", name="indie folk", exact=True)).to_be_hidden()
    page.get_by_label("Search the words").press("Enter")
    expect(style).to_have_value("my own words, indie folk, felt piano")
    felt = page.get_by_role("button", name="felt piano")
    expect(felt).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Search the words").fill("")
    page.get_by_role("button", name="indie folk", exact=True).click()
    expect(style).to_have_value("my own words, felt piano")
    style.fill("Felt Piano, by hand")
    expect(felt).to_have_attribute("aria-pressed", "true")
    style.fill("x" * 1020)
    felt.click()
    expect(page.locator("[data-said]")).to_contain_text("No room for “felt piano”")
    expect(style).to_have_value("x" * 1020)


def test_a_title_is_found_for_the_lyrics_also_of_a_song_that_is_there(studio: str, one: Visit) -> None:
    page = one.page
    page.goto(f"{studio}/songs/new/")
    page.fill("[name=lyrics]", LYRICS)
    page.fill("[name=prompt]", "folk, 1s")
    panel = magic(page, "id_title", "generate")
    wait_until_done(panel)
    press(panel, "Replace")
    title = page.locator("[name=title]").input_value()
    assert title
    assert "\n" not in title
    assert page.locator("[name=title_run]").input_value()
    page.click("button.create")
    page.locator("#recent").get_by_role("link", name=title).first.click()
    expect(page.locator("h1")).to_have_text(title)
    panel = magic(page, "id_title", "generate")
    wait_until_done(panel)
    press(panel, "Replace")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("How this title came about").click()
    expect(page.locator(".story", has_text="How this title")).to_contain_text("Template title/generate, version 1")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [("0002", "Ollama"), ("0003", "Ollama"), ("0007", "thinking"), ("0008", "Ollama"), ("0010", "Ollama")],
)
def test_what_goes_wrong_is_told_in_words_and_nothing_is_lost(
    studio: str, one: Visit, number: str, sentence: str
) -> None:
    page = one.page
    page.goto(f"{studio}/images/new/")
    page.fill("[name=prompt]", f"{number} {IDEA} 5000 words/s")
    panel = magic(page, "id_prompt", "enhance")
    expect(panel.get_by_role("alert")).to_contain_text(sentence, timeout=PATIENCE)
    expect(page.locator("[name=prompt]")).to_have_value(f"{number} {IDEA} 5000 words/s")
    expect(panel.get_by_role("button", name="Again")).to_be_visible()


def test_an_empty_field_is_told_in_the_menu(studio: str, one: Visit) -> None:
    page = one.page
    page.goto(f"{studio}/images/new/")
    offer = open_menu(page, "id_prompt").locator("[data-action=enhance]")
    page.keyboard.press("Enter")  # the first template has the focus
    offer.locator("[data-magic-run]").click()
    expect(page.locator("#magic-menu").get_by_role("alert")).to_contain_text("Write something first")
    page.keyboard.press("Escape")
    expect(page.locator("[data-magic][data-field=id_prompt]")).to_be_focused()
    expect(panel_of(page, "id_prompt")).to_have_count(0)


def test_texts_are_compared_safely_and_in_any_length(studio: str, one: Visit) -> None:
    page = one.page
    page.goto(f"{studio}/images/new/")
    found = page.evaluate(COMPARING)
    assert found[:3] == [0, 0, True]
    assert found[3] == [
        {"kind": "same", "text": "A "},
        {"kind": "add", "text": "black "},
        {"kind": "same", "text": "cat sat."},
    ]


def test_without_script_a_text_goes_through_a_page_and_lyrics_through_the_architect(
    studio: str, browser: Browser, owner: Any
) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner, java_script_enabled=False)  # type: ignore[arg-type]
    page = visit(context).page
    page.goto(f"{studio}/images/new/")
    with context.expect_page() as opened:
        page.get_by_role("link", name="Magic").first.click()
    plain = opened.value
    form = plain.locator("form").filter(has_text="Enhance").filter(has=plain.locator("[name=action][value=enhance]"))
    form.get_by_label("Text").fill(IDEA)
    form.get_by_role("button", name="Write").click()
    expect(plain.get_by_role("button", name="Use it in the form")).to_be_visible(timeout=PATIENCE)
    plain.get_by_role("button", name="Use it in the form").click()
    assert plain.locator("[name=prompt]").input_value().startswith(IDEA)

    page.goto(f"{studio}/songs/new/")
    page.get_by_role("link", name="Lyric architect").click()
    page.get_by_role("button", name="Short", exact=True).click()
    page.get_by_role("button", name="Move Verse down").first.click()
    expect(page.locator(".section-name")).to_have_text(["Chorus", "Verse", "Verse", "Chorus"])
    page.get_by_label("What the song is about").fill("two people miss the last train")
    page.get_by_role("button", name="Write the lyrics").click()
    expect(page.get_by_role("button", name="Use it in the form")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Use it in the form").click()
    assert "[Chorus]" in page.locator("[name=lyrics]").input_value()
    context.close()


def test_magic_keeps_nobody_out(studio: str, browser: Browser, owner: Any) -> None:
    context = browser.new_context(viewport=DESKTOP, storage_state=owner, bypass_csp=True)  # type: ignore[arg-type]
    page = visit(context).page
    page.goto(f"{studio}/songs/new/")
    page.fill("[name=lyrics]", LYRICS)
    page.fill("[name=prompt]", "folk")
    open_menu(page, "id_lyrics").locator("summary").first.click()
    check_access(page, "the menu")
    page.keyboard.press("Escape")
    panel = magic(page, "id_lyrics", "improve")
    wait_until_done(panel)
    press(panel, "Replace")
    page.locator("[name=lyrics]").press_sequentially(" more")
    press(panel, "Undo")
    panel = magic(page, "id_prompt", "enhance")
    wait_until_done(panel)
    page.get_by_text("Choose words for the style").click()
    page.get_by_role("button", name="indie folk", exact=True).click()
    check_access(page, "panels and the style chooser")
    page.get_by_role("link", name="Lyric architect").click()
    expect(page.locator(".section").first).to_be_visible()
    check_access(page, "the architect")
    for path in ("/prompts/architect/", "/magic/page/?category=lyrics"):
        page.goto(f"{studio}{path}")
        check_access(page, path)
    context.close()
