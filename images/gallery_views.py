"""The gallery: what was made, found, chosen and thrown away."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.preferences import items_per_page
from images import gallery, services
from images.archive import zip_chunks
from images.examples import EXAMPLES
from images.filters import RATINGS
from images.models import GeneratedImage
from jobs.pages import back, uuids_among
from library.paging import page_of
from library.trash import KEPT_FOR, with_undo

VERDICTS = {"up": 1, "down": 0, "unrate": None}


@require_GET
def image_list(request: HttpRequest) -> HttpResponse:
    """Show the gallery: searched, filtered, ordered and paged by what stands in the address."""
    rows = gallery.found_by(request.GET).for_grid()  # type: ignore[attr-defined]  # django-filter loses the type
    is_stacked = gallery.is_stacked(request.GET)
    page = page_of(
        gallery.fronts(rows) if is_stacked else rows,
        request.GET.get("page", ""),
        size=items_per_page(request) or gallery.PAGE_SIZE,
    )
    if is_stacked:
        gallery.count_stacks(page.rows)
    context = {
        "page_obj": page,
        "is_filtered": gallery.is_filtered(request.GET),
        "ordering": request.GET.get("ordering") or gallery.NEWEST,
        "walk": walk_of(request.GET),
        "ratings": RATINGS,
        "examples": EXAMPLES,
    }
    return render(request, "images/list.html", context | gallery.choices_for(request.GET))


def walk_of(query: QueryDict) -> str:
    """Return the part of an address that keeps the search while one walks from picture to picture, with its "?"."""
    kept = QueryDict(mutable=True)
    for name in gallery.KEPT:
        if query.get(name):
            kept[name] = str(query[name])
    return f"?{kept.urlencode()}" if kept else ""


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Do something with the chosen pictures: `action` is tag, up, down, unrate, delete, or restore in the trash."""
    action = request.POST.get("action", "")
    images = list(chosen(request.POST, is_trash=action == "restore")[: services.ZIP_LIMIT])
    if not images:
        messages.info(request, _("No picture was chosen."))
    elif action == "delete":
        tell_deletion(request, services.delete_images(images))
    elif action == "restore":
        tell_restoring(request, services.restore_images(images))
    else:
        try:
            change(images, action, request.POST.get("tag", ""))
            text = ngettext("%(count)d picture changed.", "%(count)d pictures changed.", len(images))
            messages.success(request, text % {"count": len(images)})
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
    return back(request, reverse("images:list"))


def change(images: list[GeneratedImage], action: str, tag: str) -> None:
    """Tag or rate pictures.

    Raises:
        ValidationError: no tag, or nothing that can be done with pictures.
    """
    if action == "tag":
        services.tag_images(images, tag)
    elif action in VERDICTS:
        services.rate_images(images, VERDICTS[action])
    else:
        raise ValidationError(_("Choose what to do with them."))


def chosen(data: QueryDict, *, is_trash: bool = False) -> QuerySet[GeneratedImage]:
    """Return the pictures that were chosen, one by one (`image`) or as whole sets (`set`)."""
    ids, sets = uuids_among(data.getlist("image")), uuids_among(data.getlist("set"))
    rows = GeneratedImage.objects.trashed() if is_trash else GeneratedImage.objects.live()
    return rows.filter(Q(pk__in=ids) | Q(request__in=sets))


@require_POST
def download_zip(request: HttpRequest) -> HttpResponseBase:
    """Send the originals of the chosen pictures as one file, made while it is sent."""
    images = list(chosen(request.POST)[: services.ZIP_LIMIT + 1])
    if not images or len(images) > services.ZIP_LIMIT:
        text = _("Choose 1 to %(limit)d pictures.") % {"limit": services.ZIP_LIMIT}
        messages.error(request, text)
        return back(request, reverse("images:list"))
    headers = {"Content-Disposition": 'attachment; filename="pictures.zip"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(zip_chunks(images), content_type="application/zip", headers=headers)


@require_GET
def trash(request: HttpRequest) -> HttpResponse:
    """Show what was thrown away, and when it goes for good."""
    rows = GeneratedImage.objects.trashed().for_grid()
    page = page_of(rows, request.GET.get("page", ""), size=items_per_page(request) or gallery.PAGE_SIZE)
    return render(request, "images/trash.html", {"page_obj": page, "days": KEPT_FOR.days})


def tell_deletion(request: HttpRequest, count: int) -> None:
    """Say that pictures lie in the trash, and where they are taken back."""
    text = ngettext("%(count)d picture moved to the trash.", "%(count)d pictures moved to the trash.", count)
    messages.success(request, with_undo(text % {"count": count}, reverse("images:trash")))


def tell_restoring(request: HttpRequest, count: int) -> None:
    """Say that pictures are out of the trash again."""
    text = ngettext("%(count)d picture is back.", "%(count)d pictures are back.", count)
    messages.success(request, text % {"count": count})
