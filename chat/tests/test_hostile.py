"""Hostile text: it is shown as text or refused, does nothing, and takes no time without end."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import signed_in
from chat import markdown
from chat.models import Conversation
from chat.tests.desk import FINISH, Desk, Model, talk

HTML = '<script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">x</a><style>*{}</style>'
LONG = 200_000
BOMBS = {
    "brackets": "[" * LONG,
    "pictures": "![" * (LONG // 2),
    "links": "[a](" * (LONG // 4),
    "emphasis": "*a_ " * (LONG // 4),
    "quotes": ">" * LONG,
    "lists": "\n".join(" " * depth + "- a" for depth in range(500)),
    "code": "".join("`" * length + " " for length in range(1, 630)),
    "tables": "|a" * 1000 + "\n" + "|-" * 1000 + "\n" + "a\n" * 50_000,
    "entities": "&" * LONG,
    "references": "".join(f"[{number}]: /x\n" for number in range(20_000)),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_markdown_bomb_comes_out_as_text_of_bounded_size(text: str) -> None:
    html = markdown.render(text)

    assert len(html) < 10 * LONG
    assert "<script" not in html


def test_a_text_beyond_the_limit_is_not_read_as_markdown_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        pytest.fail("It was read.")

    monkeypatch.setattr(markdown, "parser", refuse)

    assert markdown.render("*" * (markdown.LIMIT + 1)).startswith('<pre tabindex="0">***')


@pytest.mark.parametrize(
    "text",
    [
        HTML,
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>)",
        "[x](vbscript:x)",
        "<javascript:alert(1)>",
        "![x](https://example.org/x.png)",
        "[x]: javascript:alert(1)\n\n[x]",
        "[out](/sign-out/) [elsewhere](//example.org/)",
        "[x](http://[)",
    ],
)
def test_markdown_runs_no_script_loads_nothing_and_leads_nowhere_in_the_studio(text: str) -> None:
    html = markdown.render(text)

    for danger in ("<script", "<img", "<style", '<a href="/', '<a href="javascript', '<a href="data', "<a onerror"):
        assert danger not in html


def test_a_link_opens_beside_the_studio_and_tells_nothing_about_it() -> None:
    html = markdown.render("[x](https://example.org/?a=1&b=2)")

    opened = 'target="_blank" rel="noopener noreferrer nofollow"'
    assert html == f'<p><a href="https://example.org/?a=1&amp;b=2" {opened}>x</a></p>\n'


def test_code_stands_as_it_is_and_headings_begin_below_those_of_the_page() -> None:
    html = markdown.render("# Title\n\n```html\n<b>x</b>\n```\n\nOne\ntwo")

    assert "<h3>Title</h3>" in html
    assert '<pre tabindex="0"><code>&lt;b&gt;x&lt;/b&gt;\n</code></pre>' in html
    assert "<p>One<br>\ntwo</p>" in html


@pytest.mark.django_db
def test_hostile_words_of_a_person_and_of_a_model_stand_on_the_pages_as_words(desk: Desk, model: Model) -> None:
    client = signed_in()
    model.says(HTML, FINISH)
    conversation = talk(desk, HTML)

    for address in ("/chat/", conversation.get_absolute_url(), f"{conversation.get_absolute_url()}export/"):
        page = client.get(address)
        text = b"".join(page).decode()
        if "markdown" not in page["Content-Type"]:
            assert "<script>alert" not in text
            assert "onerror=alert(1)>" not in text
            assert "&lt;script&gt;alert(1)" in text


@pytest.mark.django_db
def test_a_model_that_sends_what_no_database_keeps_is_kept_all_the_same(desk: Desk, model: Model) -> None:
    model.says("right-to-left \u202e\u2066 marks and \ufffd", FINISH)

    conversation = talk(desk, "\u202eevil\u202c")

    page = signed_in().get(conversation.get_absolute_url()).content.decode()
    assert 'dir="auto">\u202eevil' in page


@pytest.mark.django_db
def test_the_longest_message_is_sent_shown_and_exported(client: Client, desk: Desk, model: Model) -> None:
    client = signed_in()
    model.says("ж" * LONG, FINISH)

    assert client.post("/chat/begin/", {"text": "я" * LONG}).status_code == 302
    desk.write_all()

    conversation = Conversation.objects.get()
    assert len(conversation.title) == 80
    assert "ж" * LONG in client.get(conversation.get_absolute_url()).content.decode()
    assert client.get(reverse("chat:edit", args=[conversation.messages.all()[0].pk])).status_code == 200
