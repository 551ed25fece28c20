"""What the mock Ollama refuses, and that what it writes suits what was asked."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from mockapi.ollama_reading import understand
from mockapi.ollama_rules import Wish, chat_wish, generate_wish
from mockapi.ollama_writing import write

OPENED = "[Verse 1]\nthe harbour sleeps in rain\nthe lamps are burning low\nand nobody is there\nbut me"


def wish(prompt: str, **body: Any) -> Wish:
    return generate_wish({"model": "llama3.2", "prompt": prompt} | body)


def written(prompt: str, **body: Any) -> str:
    return write(wish(prompt, **body))


@pytest.mark.parametrize(
    ("prompt", "kind", "text"),
    [
        ("Translate the text into German.\n\nthe sea\n\nAnswer only with it.", "translate", "the sea"),
        ('Translate """the sea""" into German', "translate", "the sea"),
        ("Translate into German: the sea", "translate", "the sea"),
        ("Write lyrics about the idea below.\n\na lighthouse", "lyrics", "a lighthouse"),
        ("Write a song about a lighthouse", "lyrics", "a lighthouse"),
        ("Improve these lyrics.\n\nYou are my fire\nthe one", "improve", "You are my fire\nthe one"),
        ("Shorten the lyrics:\n\n<lyrics>\none\n</lyrics>", "shorten", "one"),
        ("Continue the song.\n\nLyrics: one\ntwo", "continue", "one\ntwo"),
        ("Suggest a title for this song.\n\none", "title", "one"),
        ("You improve prompts for image generators. Enhance this prompt:\n\na cat", "picture", "a cat"),
        ("Turn the lyrics into a prompt for a picture.\n\none", "picture", "one"),
        ("Enhance this style description for music.\n\nfolk, sad", "style", "folk, sad"),
        ("0003 Write lyrics about rain", "lyrics", "rain"),
        ("What is the sea?", "chat", "What is the sea?"),
    ],
)
def test_a_task_is_recognised_by_its_wording(prompt: str, kind: str, text: str) -> None:
    task = understand(wish(prompt))
    assert (task.kind, task.text) == (kind, text)


def test_the_same_request_gives_the_same_text_and_another_seed_another_one() -> None:
    prompt = "Write lyrics about a lighthouse in the winter storm"
    assert written(prompt) == written(prompt)
    assert written(prompt) != written(prompt, options={"seed": 7})


def test_a_translation_keeps_lines_and_tags_and_says_where_it_does_not_reach() -> None:
    prompt = "Translate the lyrics into German.\n\n[Verse]\nThe night is cold\nzyx qwv\n\nAnswer with the lyrics only."
    assert written(prompt) == "[Verse]\nDie Nacht ist kalt\n(German) zyx qwv"
    assert written("Translate to English.\n\nDie Nacht ist kalt") == "The night is cold"
    assert written("Translate to French.\n\nthe night") == "(French) the night"


def test_lyrics_have_sections_made_of_the_words_of_the_idea() -> None:
    lyrics = written("Write lyrics about a lighthouse in winter")
    assert re.findall(r"^\[(.+)\]$", lyrics, re.MULTILINE) == [
        "Verse 1",
        "Chorus",
        "Verse 2",
        "Chorus",
        "Bridge",
        "Outro",
    ]
    assert "lighthouse" in lyrics
    assert "winter" in lyrics


def test_lyrics_follow_a_structure() -> None:
    told = "Write lyrics about the idea below.\n\nStructure: [Intro], [Verse 1], [Chorus], [Bridge]\n\na lighthouse"
    assert re.findall(r"^\[(.+)\]$", written(told), re.MULTILINE) == ["Intro", "Verse 1", "Chorus", "Bridge"]


def test_lyrics_are_improved_shortened_and_continued() -> None:
    better = written(f"Improve these lyrics.\n\n{OPENED}")
    assert better != OPENED
    assert len(better.splitlines()) == len(OPENED.splitlines())
    assert "silver rain" in better
    assert written(f"Shorten these lyrics.\n\n{OPENED}") == "\n".join(OPENED.splitlines()[:3])
    more = written(f"Continue these lyrics.\n\n{OPENED}")
    assert more.startswith("[Verse 2]\n")
    assert "harbour sleeps" not in more


def test_prompts_are_enhanced_and_titles_are_short() -> None:
    photo = written("Enhance this image prompt.\n\na cat on a chair")
    assert photo.startswith("a cat on a chair, ")
    assert photo.count(",") >= 4
    assert written("Enhance this image prompt.\n\na watercolour of a cat").startswith("a watercolour of a cat, ")
    scene = written(f"Describe a scene for an image of these lyrics.\n\n{OPENED}")
    assert scene.startswith("A cinematic scene of harbour")
    style = written("Enhance this music style.\n\nslow folk")
    assert style.startswith("slow folk, ")
    title = written(f"Suggest a title for this song.\n\n{OPENED}")
    assert "Harbour" in title
    assert len(title.split()) <= 6


def test_an_answer_is_markdown_with_what_was_asked_for() -> None:
    def said(text: str) -> str:
        return write(chat_wish({"model": "llama3.2", "messages": [{"role": "user", "content": text}]}))

    assert "\n- " in said("Give me a list of ideas")
    assert "```python" in said("Show me some code")
    assert "| --- |" in said("Put it in a table")
    assert len(said("Tell me something in 1000 words").split()) == 1000
    assert said("Write lyrics about rain").startswith("[Verse 1]")


def test_the_last_message_of_the_user_decides() -> None:
    told = [("system", "be brief"), ("user", "first"), ("assistant", "yes"), ("user", "hello")]
    body = {"model": "llama3.2", "messages": [{"role": role, "content": text} for role, text in told]}
    wished = chat_wish(body)
    assert (wished.asked, wished.system, len(wished.before)) == ("hello", "be brief", 3)


REFUSED = [
    ("generate", "", 400, "missing request body"),
    ("generate", "no", 400, "invalid character 'n' looking for beginning of value"),
    ("generate", "[1]", 400, "json: cannot unmarshal array into Go value of type api.Request"),
    ("generate", {}, 404, "model '' not found"),
    ("chat", {}, 400, "model is required"),
    ("show", {}, 400, "model is required"),
    ("generate", {"model": "a b", "prompt": "x"}, 400, "invalid model name"),
    ("generate", {"prompt": 5}, 400, "json: cannot unmarshal int into Go struct field .prompt of type string"),
    ("generate", {"options": {"stop": "x"}}, 500, 'option "stop" must be of type array'),
    ("generate", {"options": {"temperature": "hot"}}, 500, 'option "temperature" must be of type float32'),
    ("generate", {"options": {"num_predict": 1.5}}, 500, 'option "num_predict" must be of type integer'),
    ("generate", {"model": "nomic-embed-text"}, 400, '"nomic-embed-text:latest" does not support generate'),
    ("chat", {"messages": [{"role": "user"}], "model": "nomic-embed-text"}, 400, "does not support chat"),
    ("chat", {"messages": [{"role": "x"}]}, 400, "invalid role: x, must be one of [system user assistant tool]"),
    ("chat", {"messages": "x"}, 400, "cannot unmarshal"),
    ("chat", {"messages": [{"role": "user"}], "tools": [{}], "model": "gemma3:27b"}, 400, "does not support tools"),
    ("generate", {"think": "hard"}, 400, 'invalid think value: "hard"'),
    ("generate", {"think": True}, 400, '"llama3.2:latest" does not support thinking'),
    ("generate", {"keep_alive": "soon"}, 400, 'time: invalid duration "soon"'),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("verb", "body", "status", "words"), REFUSED)
def test_what_it_does_not_accept_is_refused_in_its_own_words(
    client: Client, settings: Settings, verb: str, body: str | dict[str, Any], status: int, words: str
) -> None:
    settings.MOCKAPI_OLLAMA_WORDS_PER_SECOND = 0
    if isinstance(body, dict) and body and "model" not in body:
        body = {"model": "llama3.2", "prompt": "hello"} | body
    answer = client.post(f"/mock/ollama/api/{verb}", body, content_type="application/json")
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert words in answer.json()["error"]
    assert answer["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["x" * 200_000, "\u202ehello", "<script>", "🎵", "%s {a} {0} \\", " ", "[", "]["])
def test_any_text_gets_some_answer(client: Client, settings: Settings, text: str) -> None:
    settings.MOCKAPI_OLLAMA_WORDS_PER_SECOND = 0
    for told in ("", "Translate into German.\n\n", "Improve the lyrics.\n\n", "Shorten it.\n\n", "Continue it.\n\n"):
        body = {"model": "llama3.2", "prompt": told + text, "stream": False}
        answer = client.post("/mock/ollama/api/generate", body, content_type="application/json")
        assert answer.status_code == 200
        assert answer.json()["done"] is True
