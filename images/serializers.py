"""Pictures as JSON: what a client may send, and what it gets."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.rest import BULK_LIMIT, IdField, TextField
from images.keeping import SIDES
from images.models import PROMPT_LIMIT, REFERENCES_LIMIT, GeneratedImage, ImageModel, ImageRequest
from images.services import MODERATIONS, TAGS_LIMIT, TITLE_LIMIT, UPLOAD_LIMIT, ZIP_LIMIT
from prompts.rest import RunField

ACTIONS = ("tag", "rate", "delete", "restore")
TITLE_RUN_HELP = _("The magic run that the title came about by.")
RATING_HELP = _("1 thumbs up, 0 thumbs down, null unrated.")
REFERENCE_LENGTH = 255

# --- What a client gets ---------------------------------------------------------------------------------------------


class ThumbnailUrlsSerializer(serializers.Serializer[Any]):
    """Where small WebP versions are served, by their longer side in pixels."""

    def get_fields(self) -> dict[str, Any]:
        """Return one address for each side; a number is no name in Python."""
        return {str(side): serializers.CharField() for side in SIDES}


class ImageSerializer(serializers.ModelSerializer[GeneratedImage]):
    """A picture. `local_url` is the address for a browser that is signed in, `file_url` the one for API clients."""

    file_url = serializers.SerializerMethodField()
    thumbnail_urls = serializers.SerializerMethodField()
    cost = serializers.DecimalField(max_digits=10, decimal_places=6, read_only=True, help_text=_("US dollars."))

    class Meta:
        model = GeneratedImage
        fields = [
            "id", "request", "position", "title", "title_written", "title_magic", "title_run", "display_title", "tags",
            "rating", "prompt", "revised_prompt", "prompt_hash", "model_used", "size", "quality", "format", "width",
            "height", "bytes", "sha256", "filename", "local_url", "file_url", "thumbnail_urls", "duration", "cost",
            "parent", "created_at", "updated_at", "deleted_at", "gone_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_file_url(self, image: GeneratedImage) -> str:
        """Return where the original is served."""
        return reverse("image-file", args=[image.pk])

    @extend_schema_field(ThumbnailUrlsSerializer)
    def get_thumbnail_urls(self, image: GeneratedImage) -> dict[str, str]:
        """Return where small versions are served."""
        address = reverse("image-thumbnail", args=[image.pk])
        return {str(side): f"{address}?side={side}" for side in SIDES}


class ImageRequestRowSerializer(serializers.ModelSerializer[ImageRequest]):
    """A request as it stands in a list, with its pictures; those in the trash are among them."""

    images = ImageSerializer(many=True, read_only=True)
    n = serializers.IntegerField(source="count", read_only=True, help_text=_("Pictures asked for."))

    class Meta:
        model = ImageRequest
        fields = [
            "id", "title", "display_title", "tags", "status", "phase", "is_uncertain", "problem", "error_message",
            "prompt", "model", "n", "size", "quality", "background", "output_format", "charge", "cost", "spent_before",
            "can_cancel", "can_submit_again", "created_at", "updated_at", "queued_at", "submitted_at", "completed_at",
            "cancel_requested_at", "images",
        ]  # fmt: skip
        read_only_fields = fields


class ImageRequestDetailSerializer(ImageRequestRowSerializer):
    """A request in full: its three prompts, what it works from, and OpenAI's answer without the pictures."""

    reference_ids = serializers.ListField(child=serializers.CharField(), source="references", read_only=True)
    mask_id = serializers.CharField(source="mask", read_only=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True, read_only=True)

    class Meta(ImageRequestRowSerializer.Meta):
        fields = [
            *ImageRequestRowSerializer.Meta.fields, "prompt_written", "prompt_magic", "prompt_run",
            "title_written", "title_magic", "title_run", "prompt_hash", "output_compression", "moderation",
            "shows_partial", "reference_ids", "mask_id", "parent", "job_id", "error_detail", "openai_response",
            "attempts", "requested_by",
        ]  # fmt: skip
        read_only_fields = fields


class CancelledImageRequestSerializer(ImageRequestDetailSerializer):
    """A request after a wish to cancel it."""

    detail = serializers.CharField(required=False, help_text=_("Why it goes on, where it could not be stopped."))

    class Meta(ImageRequestDetailSerializer.Meta):
        fields = ["detail", *ImageRequestDetailSerializer.Meta.fields]
        read_only_fields = fields


class FailedImageRequestSerializer(serializers.Serializer[Any]):
    """What became of a request that brought no picture."""

    detail = serializers.CharField(help_text=_("What happened, and whether it cost money."))
    request = ImageRequestDetailSerializer()


class SameImageSerializer(serializers.Serializer[Any]):
    """A picture that the same request has made before, or else the request that is at work on it."""

    detail = serializers.SerializerMethodField()
    image = ImageSerializer(allow_null=True)
    request = ImageRequestDetailSerializer(allow_null=True)

    def get_detail(self, same: Any) -> str:
        """Return what there is."""
        if same.image is None:
            return str(_("The same request is at work already."))
        return str(_("The same request has made this picture before."))


class ImageModelSerializer(serializers.ModelSerializer[ImageModel]):
    """A model that is offered: what it can do, and what one picture costs in US dollars, by quality."""

    retires_soon = serializers.SerializerMethodField(help_text=_("Whether it is switched off within 30 days."))
    picture_prices = serializers.SerializerMethodField()

    class Meta:
        model = ImageModel
        fields = [
            "name", "description", "is_default", "sizes", "qualities", "backgrounds", "formats", "most_pictures",
            "prompt_limit", "can_edit", "can_stream", "can_moderate", "retires_on", "retires_soon", "picture_prices",
            "text_in_price", "image_in_price", "image_out_price",
        ]  # fmt: skip
        read_only_fields = fields

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; the lists are lists of texts."""
        lists = ("sizes", "qualities", "backgrounds", "formats")
        texts = {name: serializers.ListField(child=serializers.CharField(), read_only=True) for name in lists}
        return super().get_fields() | texts

    def get_retires_soon(self, model: ImageModel) -> bool:
        """Return whether the model is about to be switched off."""
        return model.retires_soon(timezone.localdate())

    @extend_schema_field(serializers.DictField(child=serializers.CharField(allow_null=True)))
    def get_picture_prices(self, model: ImageModel) -> dict[str, str | None]:
        """Return the estimate for a picture of the model's first size, by quality; null where there is no figure."""
        size = model.sizes[0] if model.sizes else "auto"
        prices = {quality: model.estimate(size=size, quality=quality) for quality in model.qualities}
        return {quality: None if price is None else f"{price:.4f}" for quality, price in prices.items()}


class BulkOutcomeSerializer(serializers.Serializer[Any]):
    """What became of a wish for many pictures."""

    changed = serializers.IntegerField(help_text=_("How many pictures it was done to."))


class UploadedSerializer(serializers.Serializer[Any]):
    """A picture to work from, as the studio keeps it."""

    id = serializers.CharField(help_text=_("To be named in reference_ids or mask_id."))


# --- What a client may send -----------------------------------------------------------------------------------------


class ImageWishSerializer(serializers.Serializer[Any]):
    """What pictures are asked for with. What is left out, or empty, is the model's default."""

    prompt = TextField(
        style={"base_template": "textarea.html"},
        help_text=_("At most %(limit)d characters; some models take fewer.") % {"limit": PROMPT_LIMIT},
    )
    model = TextField(default="", help_text=_("One of GET /images/models/; empty for the default one."))
    n = serializers.IntegerField(default=1, source="count", help_text=_("How many pictures: 1 to 10."))
    size = TextField(default="", help_text=_("Such as 1024x1024; the model names what it makes."))
    quality = TextField(default="")
    background = TextField(default="", help_text="auto, opaque, transparent")
    output_format = TextField(default="", help_text="png, webp, jpeg")
    output_compression = serializers.IntegerField(
        default=None, allow_null=True, min_value=0, max_value=100, help_text=_("0 to 100, for webp and jpeg.")
    )
    moderation = serializers.ChoiceField(choices=MODERATIONS, default="auto")
    title = TextField(default="", help_text=_("At most %(limit)d characters.") % {"limit": TITLE_LIMIT})
    tags = TextField(default="", help_text=_("By commas; at most %(limit)d characters.") % {"limit": TAGS_LIMIT})
    reference_ids = serializers.ListField(
        child=TextField(max_length=REFERENCE_LENGTH),
        default=list,
        max_length=REFERENCES_LIMIT,
        source="references",
        help_text=_("Pictures to work from: ids of pictures, or of POST /images/uploads/."),
    )
    mask_id = TextField(
        default="",
        source="mask",
        max_length=REFERENCE_LENGTH,
        help_text=_("A PNG of the first reference's size, transparent where it is to be painted anew."),
    )
    parent = serializers.PrimaryKeyRelatedField(  # type: ignore[assignment]  # the name is DRF's as well
        queryset=GeneratedImage.objects.all(),
        default=None,
        allow_null=True,
        pk_field=IdField(),
        style={"base_template": "input.html"},
        help_text=_("The picture that this one is a variation of."),
    )
    prompt_written = TextField(default="", help_text=_("What a person wrote, if the prompt was made of it."))
    prompt_magic = TextField(default="", help_text=_("What magic made of it."))
    prompt_run = RunField(help_text=_("The magic run that the prompt came about by: it knows the two texts above."))
    title_run = RunField(help_text=TITLE_RUN_HELP)
    shows_partial = serializers.BooleanField(default=False, help_text=_("Whether early versions are shown on pages."))
    unless_exists = serializers.BooleanField(
        default=False, help_text=_("Answer 409 if the same request has made a picture before, or is at work.")
    )


class ImageEditSerializer(serializers.Serializer[Any]):
    """What the owner may change on a picture."""

    title = TextField(required=False)
    tags = TextField(required=False)
    rating = serializers.IntegerField(required=False, allow_null=True, help_text=RATING_HELP)
    title_run = RunField(help_text=TITLE_RUN_HELP)


class ImageIdsSerializer(serializers.Serializer[Any]):
    """Which pictures are meant."""

    ids = serializers.ListField(child=IdField(), allow_empty=False, min_length=1, max_length=ZIP_LIMIT)


class ImageBulkSerializer(serializers.Serializer[Any]):
    """What is to be done to many pictures."""

    ids = serializers.ListField(child=IdField(), allow_empty=False, min_length=1, max_length=BULK_LIMIT)
    action = serializers.ChoiceField(choices=ACTIONS)
    value = serializers.CharField(
        default="",
        allow_blank=True,
        allow_null=True,
        help_text=_("The tag for “tag”; 1, 0 or empty for “rate”; else left out."),
    )


class ImageUploadSerializer(serializers.Serializer[Any]):
    """A picture to work from."""

    file = serializers.FileField(
        help_text=_("PNG, JPEG or WebP; at most %(limit)d MB.") % {"limit": UPLOAD_LIMIT // 1024 // 1024}
    )
    is_mask = serializers.BooleanField(default=False, help_text=_("A PNG with transparent parts; at most 4 MB."))
