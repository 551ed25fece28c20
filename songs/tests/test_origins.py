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
TITLES = '1. Yellow Windows\n2. "The City Slows"'


def make_run(**overrides: Any) -> MagicRun:
    fields = {"category": "lyrics", "action": "generate", "version": "3", "model": "llama3.2", "state": RunState.DONE}
    texts = {"input_text": WRITTEN, "output_text": LYRICS, "variables": {"mood": "calm <b>", "theme": ""}}
    return MagicRun.objects.create(**fields | texts | overrides)


def style_run() -> MagicRun:
    return make_run(category="songs", action="enhance", input_text="folk", output_text=STYLE, variables={})


def title_run() -> MagicRun:
    variables = {"lyrics": LYRICS, "style": "folk"}
    return make_run(category="title", action="generate", input_text="", output_text=TITLES, variables=variables)


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


def test_lyrics_that_a_program_had_written_without_a_template_tell_so() -> None:
    run = make_run(category="chat", version="")
    song = make_song(lyrics=LYRICS, lyrics_run=run, lyrics_written=WRITTEN, lyrics_magic=LYRICS)
    page = signed_in().get(song.get_absolute_url()).content.decode()
    assert "Written without a template" in page
    assert "Template chat" not in page


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


# --- The title, which can be edited afterwards ---


def test_a_title_remembers_its_magic_of_a_song_and_of_an_instrumental() -> None:
    run = title_run()
    client = signed_in()
    client.post("/songs/new/", asked(title="The City Slows", title_run=str(run.pk)))
    client.post("/songs/new/?kind=instrumental", asked(title="Yellow Windows", title_run=str(run.pk)))
    for song in Song.objects.all():
        assert (song.title_run, song.title_written, song.title_magic) == (run, "", TITLES)
        again = client.get("/songs/new/", {"from": str(song.pk)}).content.decode()
        assert f'name="title_run" value="{run.pk}"' in again


def test_the_page_tells_how_the_title_came_about_and_calls_no_choice_of_a_line_a_change() -> None:
    song = make_song(title="The City Slows", title_run=title_run(), title_magic=TITLES)
    client = signed_in()
    page = client.get(song.get_absolute_url()).content.decode()
    assert "How this title came about" in page
    assert "Template title/generate, version 3" in page
    assert "What was changed by hand afterwards" not in page
    Song.objects.update(title="The City Slows Down")
    assert "What was changed by hand afterwards" in client.get(song.get_absolute_url()).content.decode()


def test_a_title_that_magic_finds_on_the_songs_page_is_remembered() -> None:
    song, run, client = make_song(title="Rain"), title_run(), signed_in()
    notes = {"title": "Yellow Windows", "tags": "", "workflow": "notUsed", "title_run": str(run.pk)}
    client.post(f"{song.get_absolute_url()}edit/", notes)
    song.refresh_from_db()
    assert (song.title, song.title_run, song.title_magic) == ("Yellow Windows", run, TITLES)
    assert f'name="title_run" value="{run.pk}"' in client.get(song.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("title", "is_remembered"), [("Yellow Windows", True), ("Two Yellow Windows", True), ("Snow", False), ("", False)]
)
def test_an_edited_title_is_remembered_as_long_as_it_is_made_of_magic(title: str, *, is_remembered: bool) -> None:
    run = title_run()
    song = make_song(title="Yellow Windows", title_run=run, title_magic=TITLES)
    answer = make_api_client().patch(f"/api/v1/songs/{song.pk}/", {"title": title}, format="json")
    assert answer.json()["title_run"] == (str(run.pk) if is_remembered else None)
    assert answer.json()["title_magic"] == (TITLES if is_remembered else "")


def test_notes_that_leave_the_title_alone_keep_its_texts_though_the_run_is_gone() -> None:
    song, client = make_song(title="Yellow Windows", title_written="windows", title_magic=TITLES), signed_in()
    notes = {"title": "Yellow Windows", "tags": "rain", "workflow": "notUsed", "title_run": ""}
    client.post(f"{song.get_absolute_url()}edit/", notes)
    song.refresh_from_db()
    assert (song.tags, song.title_written, song.title_magic) == ("rain", "windows", TITLES)


def test_the_api_takes_the_magic_of_a_title_when_it_is_made_and_when_it_is_changed() -> None:
    client, run = make_api_client(), title_run()
    wish = {"lyrics": LYRICS, "prompt": "folk", "title": "Yellow Windows", "title_run": str(run.pk)}
    made = client.post("/api/v1/songs/", wish, format="json").json()
    assert (made["title_run"], made["title_magic"]) == (str(run.pk), TITLES)
    later = make_run(category="title", output_text="Lights Below the Rain", previous=run, input_text="Yellow Windows")
    change = {"title": "Lights Below the Rain", "title_run": str(later.pk)}
    changed = client.patch(f"/api/v1/songs/{made['id']}/", change, format="json").json()
    assert (changed["title_run"], changed["title_magic"]) == (str(later.pk), "Lights Below the Rain")
    refused = client.patch(f"/api/v1/songs/{made['id']}/", {"title_run": str(uuid.uuid4())}, format="json")
    assert (refused.status_code, list(refused.json())) == (400, ["title_run"])
