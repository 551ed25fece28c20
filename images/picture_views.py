"""The pages of one picture: large, with its details, its notes, its files."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from images import gallery, services
from images.archive import file_name
from images.forms import EditForm
from images.gallery_views import tell_deletion, tell_restoring, walk_of
from images.models import GeneratedImage
from jobs.pages import back
from library.serving import serve_file
from prompts.origins import story_of

A_YEAR = 31_536_000  # seconds
RELATED = 12  # variations shown


@require_GET
def detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a picture large, with the one before and the one after it in the search of the address."""
    return render_detail(request, find(pk))


def find(pk: uuid.UUID) -> GeneratedImage:
    """Return a picture with its request, or answer that there is none."""
    rows = GeneratedImage.objects.select_related("request", "parent").defer("request__openai_response")
    image: GeneratedImage = get_object_or_404(rows, pk=pk)
    return image


def render_detail(request: HttpRequest, image: GeneratedImage, form: EditForm | None = None) -> HttpResponse:
    """Render the picture's page, with the notes as they are or as they were sent."""
    before, after = (None, None) if image.is_in_trash else gallery.neighbours(image, request.GET)
    notes = {"title": image.title, "tags": image.tags, "title_run": image.title_run_id}
    context = {
        "image": image,
        "before": before,
        "after": after,
        "walk": walk_of(request.GET),
        "story": story_of(image.request, "prompt", _("How this prompt came about")),
        "title_story": story_of(image, "title", _("How this title came about")),
        "prompts": prompts_of(image),
        "siblings": image.request.images.live().for_grid().order_by("position"),
        "children": image.children.live().for_grid()[:RELATED],
        "form": form or EditForm(initial=notes),
    }
    return render(request, "images/detail.html", context, status=422 if form and form.errors else 200)


def prompts_of(image: GeneratedImage) -> list[tuple[Any, str]]:
    """Return the prompts beside the one that was sent, where they differ from it."""
    written = "" if image.request.prompt_magic else image.request.prompt_written  # which stands in the story
    others = [(_("As you wrote it"), written), (_("As the model changed it"), image.revised_prompt)]
    return [(label, text) for label, text in others if text and text != image.prompt]


@require_POST
def edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Change title or tags."""
    image = find(pk)
    form = EditForm(request.POST)
    if not form.save(image):
        return render_detail(request, image, form)
    messages.success(request, _("Saved."))
    return back(request, image.get_absolute_url())


@require_POST
def rate(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Give a picture a thumb up (`rating=1`), down (0) or none (empty). A tile of the gallery gets its button back."""
    image = get_object_or_404(GeneratedImage.objects.for_grid(), pk=pk)
    sent = request.POST.get("rating", "")
    try:
        services.rate_images([image], {"": None, "0": 0, "1": 1}.get(sent, -1))
    except ValidationError as error:
        return HttpResponse(" ".join(error.messages), status=422, content_type="text/plain")
    if request.htmx.target == f"rate-{image.pk}":  # type: ignore[attr-defined]  # set by its middleware
        return render(request, "images/_tile_rate.html", {"image": image})
    return back(request, image.get_absolute_url())


@require_POST
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Move a picture to the trash."""
    image = get_object_or_404(GeneratedImage.objects.for_grid(), pk=pk)
    count = services.delete_images([image])
    if count:
        tell_deletion(request, count)
    return back(request, reverse("images:list"))


@require_POST
def restore(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a picture out of the trash."""
    image = get_object_or_404(GeneratedImage.objects.for_grid(), pk=pk)
    count = services.restore_images([image])
    if count:
        tell_restoring(request, count)
    return back(request, image.get_absolute_url())


@require_safe
def file(request: HttpRequest, filename: str) -> HttpResponseBase:
    """Send the original, whole or in part; `?download=1` has the browser save it."""
    image = get_object_or_404(GeneratedImage, filename=filename)
    return serve_file(
        request,
        image.file_path,
        content_type=image.content_type,
        etag=image.sha256,
        filename=file_name(image),
        download=bool(request.GET.get("download")),
    )


@require_safe
def thumb(request: HttpRequest, pk: uuid.UUID, side: int) -> HttpResponseBase:
    """Send a small version, which never changes. Pictures in the trash are shown there, so theirs are sent, too.

    Where there is none (yet), the picture itself is shown.
    """
    image = get_object_or_404(GeneratedImage.objects.only("thumb_320", "thumb_640", "sha256", "filename"), pk=pk)
    names = {320: image.thumb_320, 640: image.thumb_640}
    if side not in names:
        raise Http404
    name = names[side]
    if not name:
        return redirect("images:file", image.filename)
    etag = f"{image.sha256}-{side}"
    response = serve_file(request, name, content_type="image/webp", etag=etag, filename=f"{image.pk}-{side}.webp")
    del response["Cache-Control"]
    patch_cache_control(response, private=True, max_age=A_YEAR, immutable=True)
    return response
