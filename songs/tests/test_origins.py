"""A song remembers how its words came about: what was written, what magic made of it, with which template."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.tests.factories import signed_in
from prompts.models import MagicRun, PromptTemplate, RunState
from songs.models import Song
from songs.tests.factories import make_api_client, make_song, make_user

pytestmark = pytest.mark.django_db
WRITTEN = "a song about rain on the roof"
LYRICS = "[Verse]\nRain on the roof, the city slows\nA yellow light in all the windows"
STYLE = "indie folk, warm acoustic guitar, close harmonies"


def make_run(**overrides: Any) -> MagicRun:
    fields = {"category": "lyrics", "action": "generate", "version": "3", "model": "llama3.2", "state": RunState.DONE}
    texts = {"input_text": WRITTEN, "output_text": LYRICS, "variables": {"mood": "calm <b>", "theme": ""}}
    return MagicRun.objects.create(**fields | texts | overrides)


def style_run() -> MagicRun:
    return make_run(category="songs", action="enhance", input_text="folk", output_text=STYLE, variables={})


def asked(**overrides: Any) -> dict[str, Any]:
    wish = {"lyrics": LYRICS, "prompt": STYLE, "variants": "2", "model": "auto", "key": str(uuid.uuid4())}
    return wish | overrides


def test_the_form_brings_along_what_magic_made_of_both_fields() -> None:
    lyrics, style = make_run(), style_run()
    signed_in().post("/songs/new/", asked(lyrics_run=str(lyrics.pk), prompt_run=str(style.pk)))
    song = Song.objects.get()
    assert (song.lyrics_run, song.lyrics_written, song.lyrics_magic) == (lyrics, WRITTEN, LYRICS)
    assert (song.prompt_run, song.prompt_written, song.prompt_magic) == (style, "folk", STYLE)


def test_an_instrumental_remembers_its_style() -> None:
    style = style_run()
    wish = asked(prompt_run=str(style.pk), lyrics_run=str(make_run().pk))
    signed_in().post("/songs/new/?kind=instrumental", wish)
    song = Song.objects.get()
    assert (song.is_instrumental, song.prompt_run, song.lyrics_run) == (True, style, None)


@pytest.mark.parametrize("name", ["nonsense", "5e1e2a6c-0d1f-4c2b-9b0e-3a7f6d1c8b42", ""])
def test_magic_that_is_not_known_any_more_keeps_no_song_from_being_made(name: str) -> None:
    assert signed_in().post("/songs/new/", asked(lyrics_run=name)).status_code == 302
    assert Song.objects.get().lyrics_run is None


def test_lyrics_written_anew_do_not_pretend_to_be_magic() -> None:
    signed_in().post("/songs/new/", asked(lyrics="Only my own words here", lyrics_run=str(make_run().pk)))
    song = Song.objects.get()
    assert (song.lyrics_run, song.lyrics_written, song.lyrics_magic) == (None, "", "")


def test_a_form_that_comes_back_still_knows_the_magic() -> None:
    run = make_run()
    page = signed_in().post("/songs/new/card/", asked(prompt="", lyrics_run=str(run.pk))).content.decode()
    assert f'name="lyrics_run" value="{run.pk}"' in page


def test_the_page_tells_how_the_words_came_about() -> None:
    song = make_song(
        lyrics=f"{LYRICS}\nby hand", lyrics_run=make_run(), lyrics_written=WRITTEN, lyrics_magic=LYRICS, prompt=STYLE
    )
    page = signed_in().get(song.get_absolute_url()).content.decode()
    for text in (
        "How these lyrics came about", "Template lyrics/generate, version 3", "llama3.2", WRITTEN, "calm &lt;b&gt;",
        "What was changed by hand afterwards",
    ):  # fmt: skip
        assert text in page
    assert "<dt>theme</dt>" not in page  # it was left empty
    assert "How this style came about" not in page


def test_a_song_without_magic_tells_no_story() -> None:
    page = signed_in().get(make_song().get_absolute_url()).content.decode()
    assert "came about" not in page


def test_both_texts_stay_when_the_run_is_deleted() -> None:
    run = make_run()
    song = make_song(lyrics=LYRICS, lyrics_run=run, lyrics_written=WRITTEN, lyrics_magic=LYRICS)
    run.delete()
    page = signed_in().get(song.get_absolute_url()).content.decode()
    assert "Which template it was is not known." in page
    assert WRITTEN in page


def test_a_song_used_again_brings_its_magic_along() -> None:
    song = make_song(lyrics=LYRICS, lyrics_run=make_run())
    page = signed_in().get("/songs/new/", {"from": str(song.pk)}).content.decode()
    assert f'name="lyrics_run" value="{song.lyrics_run_id}"' in page


def test_the_api_takes_and_shows_it_and_refuses_unknown_magic_in_words() -> None:
    client, run = make_api_client(), make_run()
    wish = {"lyrics": LYRICS, "prompt": "folk", "lyrics_run": str(run.pk)}
    answer = client.post("/api/v1/songs/", wish, format="json")
    assert answer.status_code == 202
    shown = {name: answer.json()[name] for name in ("lyrics_run", "lyrics_written", "lyrics_magic", "prompt_run")}
    assert shown == {
        "lyrics_run": str(run.pk), "lyrics_written": WRITTEN, "lyrics_magic": LYRICS, "prompt_run": None,
    }  # fmt: skip
    refused = client.post("/api/v1/songs/", wish | {"lyrics_run": str(uuid.uuid4())}, format="json")
    assert refused.status_code == 400
    assert "does not exist" in refused.json()["lyrics_run"][0]
    instrumental = {"prompt": "waltz", "is_instrumental": True, "lyrics_run": str(run.pk)}
    assert client.post("/api/v1/songs/", instrumental, format="json").status_code == 202


def test_the_admin_shows_it_and_lets_nobody_change_it(client: Client) -> None:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    song = make_song(lyrics=LYRICS, lyrics_run=make_run(), lyrics_written=WRITTEN, lyrics_magic=LYRICS)
    page = client.get(f"/admin/songs/song/{song.pk}/change/").content.decode()
    assert WRITTEN in page
    assert "lyrics/generate 3" in page
    assert 'name="lyrics_written"' not in page


def test_the_page_of_a_song_leads_to_the_template_that_is_still_there() -> None:
    template = PromptTemplate.objects.active().get(category="lyrics", action="generate")
    song = make_song(lyrics=LYRICS, lyrics_run=make_run(template_version=template), lyrics_magic=LYRICS)
    assert signed_in().get(song.get_absolute_url()).status_code == 200
