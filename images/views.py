"""The page on which pictures are asked for. Each view calls a service and shows what came of it."""

import uuid
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import reswap, retarget, trigger_client_event

from accounts.preferences import preferred_model
from images import references, services
from images.cards import Around, ImageCard, requests_for_cards
from images.examples import EXAMPLES
from images.forms import PREFILLED, ImageForm, copy_of
from images.models import REFERENCES_LIMIT, GeneratedImage, ImageRequest
from images.references import Reference
from jobs.pages import uuid_or_404
from library import pictures, prefill
from library.storage import StorageAwayError

RECENT = 5
REFERENCE_SIDE = 160  # pixels
REFERENCE_SECONDS = 86_400  # for which a form that is shown again need not unpack its pictures again
A_YEAR = 31_536_000  # seconds


@never_cache  # a page from the history would bring back a key that has been used
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Show the form; sent without a script, it leads to the set. `reload` shows the options of another model."""
    if request.method == "POST" and "reload" not in request.POST:
        form = sent_form(request)
        asked = form.request(request.user, is_confirmed=bool(request.POST.get("confirm")))  # type: ignore[arg-type]  # only signed-in people come here
        if asked is not None:
            return redirect(asked)
    else:
        form = reloaded_form(request) if request.method == "POST" else fresh_form(request)
    around = Around()
    context = context_of(form) | {
        "recent": [ImageCard(job, around=around) for job in requests_for_cards()[:RECENT]],
        "is_prefilled": bool(form.initial),
        "examples": EXAMPLES,
    }
    return render(request, "images/create.html", context, status=422 if form.errors or form.same else 200)


@require_POST
def request_card(request: HttpRequest) -> HttpResponse:
    """Ask for pictures and answer with their card, for the top of the list, and a key for the next request."""
    form = sent_form(request)
    asked = form.request(request.user, is_confirmed=bool(request.POST.get("confirm")))  # type: ignore[arg-type]  # only signed-in people come here
    if asked is None:
        response = render(request, "images/_form.html", context_of(form), status=422)
        return reswap(retarget(response, "#image-form"), "outerHTML")
    response = render(request, "images/_requested.html", {"card": ImageCard(asked), "fresh_key": uuid.uuid4()})
    trigger_client_event(response, "toast", {"text": _("It is in line."), "kind": "success"})
    return trigger_client_event(response, "draft-done", {"value": "image"})


def context_of(form: ImageForm) -> dict[str, Any]:
    """Return what the form's template needs."""
    return {"form": form, "references_limit": REFERENCES_LIMIT}


def sent_form(request: HttpRequest) -> ImageForm:
    """Return the form as it was sent."""
    return ImageForm(request.POST, request.FILES)


def reloaded_form(request: HttpRequest) -> ImageForm:
    """Return the form with what was typed and the options of the model that is now chosen; nothing is checked."""
    form = ImageForm(
        initial={name: value for name, value in request.POST.items() if name in ImageForm.base_fields},
        references=references.read_tokens(request.POST.getlist("references")),
        mask=next(iter(references.read_tokens(request.POST.getlist("mask")[:1])), None),
    )
    form.initial.pop("key", None)
    return form


def fresh_form(request: HttpRequest) -> ImageForm:
    """Return the form, filled with what the address says.

    `request`: one to make again; `from`: a picture to use again; `reference`: one to work from; `variation`: both.
    `prefill` names texts that are too long for an address; see library.prefill.
    """
    said = request.GET.dict() | prefill.read(request)
    initial: dict[str, Any] = {name: value for name, value in said.items() if name in PREFILLED}
    used: list[Reference] = []
    if request.GET.get("request"):
        initial = copy_of(get_object_or_404(ImageRequest, pk=uuid_or_404(request.GET["request"]))) | initial
    for name in ("from", "reference", "variation"):
        if not request.GET.get(name):
            continue
        image = get_object_or_404(GeneratedImage.objects.select_related("request"), pk=uuid_or_404(request.GET[name]))
        if name != "reference":
            notes = {"count": 1, "title": image.title, "tags": image.tags, "title_run": image.title_run_id}
            initial = copy_of(image.request) | notes | initial
        if name != "from":
            used.append(references.of_image(image))
        if name == "variation":
            initial["parent"] = image.pk
    return ImageForm(initial=initial, references=used, liked_model=preferred_model(request, "image"))


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Keep pictures to work from, and answer with their places in the form."""
    kept: list[Reference] = []
    problems: list[str] = []
    files = request.FILES.getlist("files")
    for file in files[:REFERENCES_LIMIT]:
        try:
            kept.append(Reference(services.take_reference(file, size=file.size or 0)))
        except ValidationError as error:
            problems += error.messages
    if len(files) > REFERENCES_LIMIT:
        problems.append(_("At most %(limit)d reference pictures.") % {"limit": REFERENCES_LIMIT})
    if not files:
        problems.append(_("No picture was chosen."))
    response = render(request, "images/_references.html", {"references": kept}, status=200 if kept else 422)
    if not kept:
        reswap(response, "none")
    if problems:
        text = " ".join(dict.fromkeys(problems))
        trigger_client_event(response, "toast", {"text": text, "kind": "error"})
    return response


@require_GET
def reference(request: HttpRequest, token: str) -> HttpResponse:
    """Send a small version of a picture that a form refers to."""
    found = references.read_token(token)
    if found is None:
        raise Http404
    key = f"images:reference:{found.name}"
    small = cache.get(key)
    if small is None:
        try:
            with default_storage.open(found.name, "rb") as file:
                small = pictures.thumbnails(file, (REFERENCE_SIDE,))[REFERENCE_SIDE]
        except StorageAwayError:
            raise
        except (OSError, pictures.NotAPictureError) as error:
            raise Http404 from error
        cache.set(key, small, REFERENCE_SECONDS)
    response = HttpResponse(small, content_type="image/webp")
    patch_cache_control(response, private=True, max_age=A_YEAR, immutable=True)
    return response
