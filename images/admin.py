"""The console door to pictures: seen, rated, and moved on by the same services as everywhere."""

import json
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from images import services
from images.models import GeneratedImage, ImageModel, ImageRequest
from jobs.admin import JobAdmin, LargeTableAdmin
from jobs.model_admin import ModelFilter, OneDefaultAdmin
from jobs.spending import dollars
from library.trash import KEPT_FOR
from library.trash_admin import TrashFilter

LIST_SIDE, PAGE_SIDE = 96, 320  # pixels


class RequestModelFilter(ModelFilter):
    """Requests by model."""

    price_list = ImageModel


class ImageModelFilter(RequestModelFilter):
    """Pictures by model."""

    column = "model_used"


def thumbnail_of(image: GeneratedImage, side: int) -> str:
    """Return a small version of a picture that fits into a square of this side, in pixels."""
    scale = side / max(image.width, image.height, 1)
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    address = reverse("images:thumb", args=[image.pk, 320])
    markup = '<img src="{}" alt="{}" width="{}" height="{}" loading="lazy">'
    return format_html(markup, address, image.display_title, width, height)


@admin.register(GeneratedImage)
class GeneratedImageAdmin(LargeTableAdmin):
    """Pictures, seen and rated in the list."""

    list_display = ["thumbnail", "name", "rating", "tags", "model_used", "size", "money", "created_at"]
    list_display_links = ["thumbnail", "name"]
    list_editable = ["rating"]
    list_filter = [TrashFilter, "rating", ImageModelFilter, "created_at"]
    search_fields = ["title", "tags", "prompt", "=filename"]
    search_help_text = _("Title, tags, prompt, or the whole file name.")
    ordering = ["-created_at", "-pk"]
    list_per_page = 25
    actions = ["move_to_trash", "restore"]
    fieldsets = [
        (None, {"fields": ["picture", "title", "tags", "rating"]}),
        (_("What was asked for"), {"fields": ["request_link", "prompt", "revised_prompt", "parent"]}),
        (
            _("How the title came about"),
            {"classes": ["collapse"], "fields": ["title_written", "title_magic", "title_run"]},
        ),
        (
            _("What came back"),
            {"fields": ["model_used", "size", "quality", "format", "file_size", "duration", "money"]},
        ),
        (
            _("Where it lies"),
            {"fields": ["filename", "file_path", "sha256", "prompt_hash", "created_at", "updated_at", "deleted_at"]},
        ),
    ]
    editable = ("title", "tags", "rating")

    def for_list(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return pictures without what is long."""
        return rows.defer("prompt", "revised_prompt", "title_written", "title_magic")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Forbid everything but the owner's notes."""
        return [name for name in flatten_fieldsets(self.get_fieldsets(request, obj)) if name not in self.editable]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid: pictures come from the provider."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid: a picture is moved to the trash, which is emptied by itself."""
        return False

    def save_model(self, request: HttpRequest, obj: GeneratedImage, form: Any, change: bool) -> None:
        """Write what was changed, and nothing else."""
        texts = {name: getattr(obj, name) for name in form.changed_data if name in {"title", "tags"}}
        with transaction.atomic():
            services.edit_image(obj, **texts)
            if "rating" in form.changed_data:
                services.rate_images([obj], obj.rating)

    @admin.display(description=_("picture"))
    def thumbnail(self, image: GeneratedImage) -> str:
        """Return the picture, for the list."""
        return thumbnail_of(image, LIST_SIDE)

    @admin.display(description=_("picture"))
    def picture(self, image: GeneratedImage) -> str:
        """Return the picture with a link to the original."""
        return format_html('<a href="{}">{}</a>', image.local_url, thumbnail_of(image, PAGE_SIDE))

    @admin.display(description=_("title"), ordering="title")
    def name(self, image: GeneratedImage) -> str:
        """Return the title, or the first words of the prompt."""
        return image.display_title

    @admin.display(description=_("request"))
    def request_link(self, image: GeneratedImage) -> str:
        """Return a link to the request."""
        address = reverse("admin:images_imagerequest_change", args=[image.request_id])
        return format_html('<a href="{}">{}</a>', address, image.request)

    @admin.display(description=_("cost"), ordering="cost")
    def money(self, image: GeneratedImage) -> str:
        """Return what the picture cost."""
        return dollars(image.cost)

    @admin.display(description=_("size of the file"))
    def file_size(self, image: GeneratedImage) -> str:
        """Return the size in words."""
        return filesizeformat(image.bytes)

    @admin.action(description=_("Move to the trash"), permissions=["change"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Move pictures to the trash. It can be undone, so nothing is asked first."""
        images = [image for image in queryset if not image.is_in_trash]
        count = services.delete_images(images)
        text = ngettext(
            "%(count)d picture moved to the trash for %(days)d days.",
            "%(count)d pictures moved to the trash for %(days)d days.",
            count,
        )
        self.report(request, images, text % {"count": count, "days": KEPT_FOR.days}, gettext("Moved to the trash."))

    @admin.action(description=_("Take out of the trash"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take pictures out of the trash."""
        images = [image for image in queryset if image.is_in_trash]
        count = services.restore_images(images)
        text = ngettext("%(count)d picture is out of the trash.", "%(count)d pictures are out of the trash.", count)
        self.report(request, images, text % {"count": count}, gettext("Taken out of the trash."))

    def report(self, request: HttpRequest, images: list[GeneratedImage], told: str, noted: str) -> None:
        """Tell what became of pictures, and note it with each."""
        for image in images:
            self.log_change(request, image, noted)
        self.message_user(request, told, messages.SUCCESS if images else messages.INFO)


@admin.register(ImageRequest)
class ImageRequestAdmin(JobAdmin):
    """Requests for pictures."""

    list_display = ["name", "state", "money", "model", "count", "size", "created_at"]
    list_filter = ["status", "phase", "charge", RequestModelFilter]
    search_fields = ["title", "tags", "prompt", "=job_id"]
    search_help_text = _("Title, tags, prompt, or the whole request id of OpenAI.")
    actions = ["cancel", "submit_again"]
    fieldsets = [
        (None, {"fields": ["pictures", "title", "tags"]}),
        (
            _("What was asked for"),
            {
                "fields": [
                    "prompt", "prompt_written", "prompt_magic", "prompt_run", "title_written", "title_magic",
                    "title_run", "model", "count", "size", "quality", "background", "output_format",
                    "output_compression", "moderation", "references", "mask", "parent", "prompt_hash",
                ],
            },
        ),
        *JobAdmin.engine_fieldsets,
        (_("The provider's answer"), {"classes": ["collapse"], "fields": ["error_detail", "answer"]}),
    ]  # fmt: skip

    def cancel_job(self, job: ImageRequest) -> bool:
        """Cancel the request. Raises JobError."""
        return services.cancel_request(job)

    def submit_job_again(self, job: ImageRequest) -> None:
        """Have the request submitted once more, at today's price. Raises JobError."""
        services.submit_request_again(job)

    def price_again(self, job: ImageRequest) -> Decimal | None:
        """Return today's price of the request."""
        return services.price_again(job)

    def for_list(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return requests without what is long."""
        heavy = ("prompt_written", "prompt_magic", "title_written", "title_magic", "openai_response")
        return super().for_list(rows).defer(*heavy)

    @admin.display(description=_("title"), ordering="title")
    def name(self, request: ImageRequest) -> str:
        """Return the title, or the first words of the prompt."""
        return request.display_title

    @admin.display(description=_("pictures"))
    def pictures(self, request: ImageRequest) -> str:
        """Return the pictures of the set, each with a link to its page."""
        rows = (
            (reverse("admin:images_generatedimage_change", args=[image.pk]), thumbnail_of(image, LIST_SIDE))
            for image in request.images.order_by("position")
        )
        return format_html_join(" ", '<a href="{}">{}</a>', rows) or "-"

    @admin.display(description=_("OpenAI's answer"))
    def answer(self, request: ImageRequest) -> str:
        """Return the complete answer, without the pictures."""
        text = json.dumps(request.openai_response, indent=2, ensure_ascii=False)
        return format_html('<pre class="code short">{}</pre>', text)


@admin.register(ImageModel)
class ImageModelAdmin(OneDefaultAdmin):
    """Models: what they can do and what they cost, which the owner keeps."""

    list_display = ["name", "medium_price", "retires_on", "retires_soon", "is_default", "is_active", "position"]
    list_editable = ["is_active", "position"]
    search_fields = ["name", "description"]
    fieldsets = [
        (None, {"fields": ["name", "description", "is_default", "is_active", "position", "retires_on"]}),
        (
            _("What it can do"),
            {
                "fields": [
                    "sizes", "qualities", "backgrounds", "formats", "most_pictures", "prompt_limit", "can_edit",
                    "can_stream", "can_moderate",
                ],
            },
        ),
        (_("Prices"), {"fields": ["text_in_price", "image_in_price", "image_out_price", "tokens", "fixed_prices"]}),
    ]  # fmt: skip

    @admin.display(description=_("a picture of medium quality"))
    def medium_price(self, model: ImageModel) -> str:
        """Return the estimate for one picture of usual size and quality."""
        price = model.estimate(size="auto", quality="auto")
        return "-" if price is None else dollars(price)

    @admin.display(description=_("retires soon"), boolean=True)
    def retires_soon(self, model: ImageModel) -> bool | None:
        """Return whether it is about to be switched off, or has been; nothing where no end is known."""
        today = timezone.localdate()
        return None if model.retires_on is None else model.retires_soon(today) or model.has_retired(today)
