"""A picture remembers how its prompt came about: what was written, what magic made of it, with which template."""

import uuid
from typing import Any

import pytest

from accounts.tests.clients import make_api_client
from accounts.tests.factories import signed_in
from images.models import ImageRequest
from images.tests.factories import MODEL, make_image, make_request
from prompts.models import MagicRun, RunState

pytestmark = pytest.mark.django_db
WRITTEN = "a lighthouse in the fog"
MAGIC = "A lonely lighthouse stands in thick fog, warm light in its windows, oil painting"
TITLE = "The Last Lantern"


def make_run(**overrides: Any) -> MagicRun:
    fields = {"category": "images", "action": "enhance", "version": "2", "model": "llama3.2", "state": RunState.DONE}
    return MagicRun.objects.create(**fields | {"input_text": WRITTEN, "output_text": MAGIC} | overrides)


def title_run() -> MagicRun:
    return make_run(category="title", action="generate", input_text="fog", output_text=TITLE, variables={"lyrics": ""})


def asked(**overrides: Any) -> dict[str, Any]:
    wish = {"prompt": MAGIC, "model": MODEL, "size": "1024x1024", "quality": "medium", "count": "1"}
    return wish | {"moderation": "auto", "key": str(uuid.uuid4())} | overrides


def test_the_form_brings_along_what_magic_made_of_the_prompt() -> None:
    run = make_run()
    signed_in().post("/images/new/", asked(prompt=f"{MAGIC}, at night", prompt_run=str(run.pk)))
    made = ImageRequest.objects.get()
    assert (made.prompt_run, made.prompt_written, made.prompt_magic) == (run, WRITTEN, MAGIC)
    assert made.prompt == f"{MAGIC}, at night"


@pytest.mark.parametrize("name", ["nonsense", "5e1e2a6c-0d1f-4c2b-9b0e-3a7f6d1c8b42", ""])
def test_magic_that_is_not_known_any_more_keeps_no_picture_from_being_made(name: str) -> None:
    assert signed_in().post("/images/new/", asked(prompt_run=name)).status_code == 302
    made = ImageRequest.objects.get()
    assert (made.prompt_run, made.prompt_written, made.prompt_magic) == (None, MAGIC, "")


def test_a_prompt_written_anew_does_not_pretend_to_be_magic() -> None:
    signed_in().post("/images/new/", asked(prompt="Three cats on a sofa", prompt_run=str(make_run().pk)))
    made = ImageRequest.objects.get()
    assert (made.prompt_run, made.prompt_written, made.prompt_magic) == (None, "Three cats on a sofa", "")


def test_the_options_of_another_model_do_not_cost_the_memory() -> None:
    run = make_run()
    wish = asked(prompt_run=str(run.pk), reload="yes")
    page = signed_in().post("/images/new/", wish).content.decode()
    assert f'name="prompt_run" value="{run.pk}"' in page


def test_the_pages_of_picture_and_set_tell_how_the_prompt_came_about() -> None:
    made = make_request(prompt=MAGIC, prompt_written=WRITTEN, prompt_magic=MAGIC, prompt_run=make_run())
    client = signed_in()
    for address in (make_image(made).get_absolute_url(), made.get_absolute_url()):
        page = client.get(address).content.decode()
        for text in ("How this prompt came about", "Template images/enhance, version 2", WRITTEN):
            assert text in page
        assert "changed by hand" not in page
        assert "As you wrote it" not in page  # it stands in the story


def test_a_picture_made_again_brings_its_magic_along() -> None:
    made = make_request(prompt=MAGIC, prompt_written=WRITTEN, prompt_magic=MAGIC, prompt_run=make_run())
    page = signed_in().get("/images/new/", {"request": str(made.pk)}).content.decode()
    assert f'name="prompt_run" value="{made.prompt_run_id}"' in page


def test_the_api_fills_both_texts_from_the_run_and_refuses_unknown_magic_in_words() -> None:
    client, run = make_api_client(), make_run()
    wish = {"prompt": MAGIC, "prompt_run": str(run.pk)}
    answer = client.post("/api/v1/images/", wish, format="json", headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    shown = [answer.json()[name] for name in ("prompt_run", "prompt_written", "prompt_magic")]
    assert shown == [str(run.pk), WRITTEN, MAGIC]
    refused = client.post("/api/v1/images/", wish | {"prompt_run": str(uuid.uuid4())}, format="json")
    assert refused.status_code == 400
    assert "does not exist" in refused.json()["prompt_run"][0]


# --- The title: of the request, and of each picture, where it can be edited ---


def test_a_title_remembers_its_magic_and_hands_it_on() -> None:
    run, client = title_run(), signed_in()
    client.post("/images/new/", asked(title=TITLE, title_run=str(run.pk)))
    made = ImageRequest.objects.get()
    assert (made.title_run, made.title_written, made.title_magic) == (run, "fog", TITLE)
    image = make_image(made, title=TITLE, title_run=run)
    for query in ({"request": str(made.pk)}, {"from": str(image.pk)}):
        assert f'name="title_run" value="{run.pk}"' in client.get("/images/new/", query).content.decode()


def test_the_pages_of_picture_and_set_tell_how_the_title_came_about() -> None:
    fields: dict[str, Any] = {"title": TITLE, "title_run": title_run(), "title_written": "fog", "title_magic": TITLE}
    made = make_request(**fields)
    client = signed_in()
    for address in (make_image(made, **fields).get_absolute_url(), made.get_absolute_url()):
        page = client.get(address).content.decode()
        assert "How this title came about" in page
        assert "Template title/generate, version 2" in page


def test_a_title_that_magic_finds_on_the_pictures_page_is_remembered_until_it_is_another() -> None:
    image, run, client = make_image(title="Fog"), title_run(), signed_in()
    edit = f"{image.get_absolute_url()}edit/"
    client.post(edit, {"title": TITLE, "title_run": str(run.pk)})
    image.refresh_from_db()
    assert (image.title, image.title_run, image.title_written, image.title_magic) == (TITLE, run, "fog", TITLE)
    assert f'name="title_run" value="{run.pk}"' in client.get(image.get_absolute_url()).content.decode()
    client.post(edit, {"title": "Cats", "title_run": str(run.pk)})
    image.refresh_from_db()
    assert (image.title, image.title_run, image.title_written, image.title_magic) == ("Cats", None, "", "")


def test_the_api_takes_the_magic_of_a_title_when_it_is_made_and_when_it_is_changed() -> None:
    client, run = make_api_client(), title_run()
    wish = {"prompt": "fog", "title": TITLE, "title_run": str(run.pk)}
    made = client.post("/api/v1/images/", wish, format="json", headers={"Prefer": "respond-async"}).json()
    assert (made["title_run"], made["title_written"], made["title_magic"]) == (str(run.pk), "fog", TITLE)
    image = make_image()
    change = {"title": f"{TITLE} Burns", "title_run": str(run.pk)}
    changed = client.patch(f"/api/v1/images/{image.pk}/", change, format="json").json()
    assert (changed["title"], changed["title_run"], changed["title_magic"]) == (f"{TITLE} Burns", str(run.pk), TITLE)
    kept = client.patch(f"/api/v1/images/{image.pk}/", {"rating": 1}, format="json").json()
    assert (kept["rating"], kept["title_run"]) == (1, str(run.pk))
