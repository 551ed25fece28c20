"""Pictures: what was asked for, what came back, and where it lies at home."""

import hashlib
import uuid
from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from images import figures
from jobs.models import Job, JobQuerySet
from library.trash import Trashable, TrashQuerySet
from prompts.models import MagicRun, TitleOrigin

PROMPT_LIMIT = 32_000
REFERENCES_LIMIT = 16
SOON = timedelta(days=30)  # a model that retires within this says so in the form
PARTIALS = 3  # early versions of a picture that are asked for where they are shown
EARLY_TOKENS = 100  # that each of them costs, whatever its size
PER_MILLION = Decimal(1_000_000)
MOST_PICTURES = 100  # of one request; no provider makes as many


def price_field(name: Any, help_text: Any) -> "models.DecimalField[Any, Any]":
    """Return a column for a price that the owner may leave empty."""
    return models.DecimalField(name, max_digits=8, decimal_places=4, null=True, blank=True, help_text=help_text)


class ImageModel(models.Model):
    """A model for pictures: what it can do and what it costs. Models come and go, so they are data the owner edits."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    sizes = models.JSONField(
        _("sizes"), default=list, help_text=_('Such as ["auto", "1024x1024"]; the first is default.')
    )
    qualities = models.JSONField(_("qualities"), default=list, help_text=_("The first is the default."))
    backgrounds = models.JSONField(_("backgrounds"), default=list, blank=True)
    formats = models.JSONField(_("formats"), default=list, blank=True)
    most_pictures = models.PositiveSmallIntegerField(_("pictures at once"), default=10)
    prompt_limit = models.PositiveIntegerField(_("characters of a prompt"), default=PROMPT_LIMIT)
    can_edit = models.BooleanField(_("takes reference pictures"), default=True)
    can_stream = models.BooleanField(_("shows early versions"), default=True)
    can_moderate = models.BooleanField(_("moderation can be chosen"), default=True)
    text_in_price = price_field(_("price of text in"), _("US dollars a million tokens."))
    image_in_price = price_field(_("price of pictures in"), _("US dollars a million tokens."))
    image_out_price = price_field(_("price of pictures out"), _("US dollars a million tokens."))
    tokens = models.JSONField(
        _("tokens"), default=dict, blank=True, help_text=_("Tokens of a square picture of 1024 pixels, by quality.")
    )
    fixed_prices = models.JSONField(
        _("fixed prices"), default=dict, blank=True,
        help_text=_("US dollars a picture by quality, for models that are not paid by token."),
    )  # fmt: skip
    retires_on = models.DateField(_("retires on"), null=True, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    is_default = models.BooleanField(_("default"), default=False)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        db_table = "image_models"
        ordering = ["position", "name"]
        verbose_name = _("image model")
        verbose_name_plural = _("image models")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_image_model"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def has_retired(self, today: date) -> bool:
        """Whether the provider has switched the model off."""
        return self.retires_on is not None and self.retires_on <= today

    def retires_soon(self, today: date) -> bool:
        """Whether the model is about to be switched off."""
        return self.retires_on is not None and today < self.retires_on <= today + SOON

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Refuse what cannot be reckoned with or shown, and take an empty field for an empty list.

        Raises:
            ValidationError: a sentence per field.
        """
        super().clean_fields(exclude=exclude)
        problems = {}
        for name, problem_of in figures.PROBLEMS.items():
            if getattr(self, name) is None:
                setattr(self, name, [] if name in figures.LISTS else {})
            if problem := problem_of(getattr(self, name)) if name not in (exclude or ()) else "":
                problems[name] = problem
        if not 1 <= self.most_pictures <= MOST_PICTURES and "most_pictures" not in (exclude or ()):
            problems["most_pictures"] = _("Choose 1 to %(limit)d.") % {"limit": MOST_PICTURES}
        if problems:
            raise ValidationError(dict(problems))

    @property
    def is_readable(self) -> bool:
        """Whether its lists are lists, so that it can be offered."""
        return all(figures.is_list_of_words(getattr(self, name)) for name in figures.LISTS)

    def estimate(self, *, size: str, quality: str, early_versions: int = 0) -> Decimal | None:
        """Return what one picture is likely to cost in US dollars, or None where the owner has given no sane figures.

        "auto" leaves the choice to the provider; it is reckoned as medium, at 1024 pixels square. Pictures to work from
        are not reckoned: how many tokens one has is not documented.
        """
        known = [name for given in (self.fixed_prices, self.tokens) if isinstance(given, dict) for name in given]
        chosen = quality if quality in known else "medium"
        price = figures.figure(self.fixed_prices, chosen, figures.PRICE_LIMIT)
        if price is not None:
            return price
        tokens = figures.figure(self.tokens, chosen, figures.TOKENS_LIMIT)
        if tokens is None or self.image_out_price is None:
            return None
        tokens = tokens * figures.pixels_of(size) / figures.SQUARE + early_versions * EARLY_TOKENS
        price = tokens * self.image_out_price / PER_MILLION
        return price.quantize(Decimal("0.0001")) if price <= figures.PRICE_LIMIT else None


class ImageRequestQuerySet(JobQuerySet):
    """Wishes for pictures, in words."""


class ImageRequest(Job, TitleOrigin):
    """A wish for one or several pictures of one prompt: the job behind them. Its pictures are one set."""

    prompt = models.TextField(_("prompt as sent"))
    prompt_written = models.TextField(_("prompt as written"), blank=True)
    prompt_magic = models.TextField(_("prompt as magic made it"), blank=True)
    prompt_run = models.ForeignKey(
        MagicRun, models.SET_NULL, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("magic of the prompt"),
    )  # fmt: skip
    prompt_hash = models.CharField(max_length=32, db_index=True, editable=False)
    model = models.CharField(_("model"), max_length=100)
    count = models.PositiveSmallIntegerField(_("pictures"), default=1)
    size = models.CharField(_("size"), max_length=20, default="auto")
    quality = models.CharField(_("quality"), max_length=20, default="auto")
    background = models.CharField(_("background"), max_length=20, default="auto")
    output_format = models.CharField(_("format"), max_length=10, default="png")
    output_compression = models.PositiveSmallIntegerField(_("compression"), null=True, blank=True)
    moderation = models.CharField(_("moderation"), max_length=10, default="auto")
    shows_partial = models.BooleanField(_("early versions"), default=False)
    references = models.JSONField(_("reference pictures"), default=list, blank=True, editable=False)
    mask = models.CharField(_("mask"), max_length=255, blank=True, editable=False)
    parent = models.ForeignKey(
        "GeneratedImage", models.SET_NULL, null=True, blank=True, related_name="variations", verbose_name=_("made from")
    )
    title = models.CharField(_("title"), max_length=255, blank=True)
    tags = models.TextField(_("tags"), blank=True)
    openai_response = models.JSONField(_("OpenAI's answer"), default=dict, blank=True, editable=False)

    objects = ImageRequestQuerySet.as_manager()

    class Meta(Job.Meta):
        db_table = "image_requests"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("picture request")
        verbose_name_plural = _("picture requests")
        indexes = [
            *Job.Meta.indexes,
            models.Index(fields=["-created_at", "-id"], name="image_request_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="image_request_status"),
        ]

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        """Return the page of the request and its set."""
        return reverse("images:set", args=[self.pk])

    @property
    def early_versions(self) -> int:
        """Return how many early versions are asked for."""
        return PARTIALS if self.shows_partial else 0

    @property
    def display_title(self) -> str:
        """Return the title, or the first words of the prompt."""
        return self.title or self.prompt[:60]


def hash_of(*, prompt: str, model: str, size: str, quality: str, background: str, output_format: str) -> str:
    """Return what finds the same request again: 32 hexadecimal digits of what decides the picture."""
    parts = (" ".join(prompt.split()), model, size, quality, background, output_format)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


class GeneratedImageQuerySet(TrashQuerySet):
    """Pictures, in words."""

    def for_grid(self) -> Self:
        """Return rows light enough for a grid of tiles."""
        return self.only(
            "id", "title", "width", "height", "rating", "thumb_320", "thumb_640", "sha256", "request_id", "position",
            "created_at", "model_used", "size", "deleted_at", "prompt_start",
        )  # fmt: skip


class GeneratedImage(Trashable, TitleOrigin):
    """One picture at home."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(ImageRequest, models.CASCADE, related_name="images", verbose_name=_("request"))
    position = models.PositiveSmallIntegerField(_("number in its set"), default=0, editable=False)
    prompt = models.TextField(_("prompt as sent"))
    prompt_start = models.CharField(max_length=200, blank=True, editable=False)
    revised_prompt = models.TextField(_("prompt as the model changed it"), blank=True, editable=False)
    size = models.CharField(_("size"), max_length=20, help_text=_("As it came back."))
    quality = models.CharField(_("quality"), max_length=20, blank=True, help_text=_("As it came back."))
    filename = models.CharField(_("file name"), max_length=255, unique=True)
    file_path = models.CharField(_("name in storage"), max_length=500)
    local_url = models.CharField(_("address"), max_length=500, blank=True)
    model_used = models.CharField(_("model used"), max_length=100, db_index=True)
    prompt_hash = models.CharField(max_length=32, db_index=True, editable=False)
    title = models.CharField(_("title"), max_length=255, blank=True)
    tags = models.TextField(_("tags"), blank=True)
    rating = models.SmallIntegerField(
        _("rating"), null=True, blank=True, choices=[(1, _("Thumbs up")), (0, _("Thumbs down"))]
    )
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children", verbose_name=_("made from")
    )
    format = models.CharField(_("format"), max_length=10)
    width = models.PositiveIntegerField(_("width"), help_text=_("Pixels."))
    height = models.PositiveIntegerField(_("height"), help_text=_("Pixels."))
    bytes = models.PositiveBigIntegerField(_("size of the file"), help_text=_("Bytes."))
    sha256 = models.CharField(max_length=64)
    thumb_320 = models.CharField(max_length=255, blank=True)
    thumb_640 = models.CharField(max_length=255, blank=True)
    duration = models.FloatField(_("duration"), null=True, blank=True, help_text=_("Seconds that the provider took."))
    cost = models.DecimalField(_("cost"), max_digits=10, decimal_places=6, default=0, help_text=_("US dollars."))
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = GeneratedImageQuerySet.as_manager()

    class Meta:
        db_table = "generated_images"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        constraints = [
            models.UniqueConstraint(fields=["request", "position"], name="image_position_once"),
            models.CheckConstraint(condition=Q(rating__isnull=True) | Q(rating__in=[0, 1]), name="image_rating"),
        ]
        indexes = [
            *Trashable.Meta.indexes,
            models.Index(fields=["-created_at", "-id"], condition=Q(deleted_at=None), name="image_newest"),
            models.Index(fields=["rating", "-created_at", "-id"], condition=Q(deleted_at=None), name="image_rated"),
            models.Index(fields=["title", "-created_at", "-id"], condition=Q(deleted_at=None), name="image_title"),
            models.Index(fields=["updated_at", "id"], condition=Q(deleted_at=None), name="image_updated"),
        ]

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        """Return the picture's page."""
        return reverse("images:detail", args=[self.pk])

    @property
    def display_title(self) -> str:
        """Return the title, or the first words of the prompt."""
        return self.title or self.prompt_start[:60]

    @property
    def tag_list(self) -> list[str]:
        """Return the tags one by one."""
        return [tag.strip() for tag in self.tags.split(",") if tag.strip()]

    @property
    def content_type(self) -> str:
        """Return the media type to serve the original as."""
        return f"image/{self.format}"

    @property
    def names(self) -> list[str]:
        """Return the names in storage of the original and its thumbnails."""
        return [name for name in (self.file_path, self.thumb_320, self.thumb_640) if name]
