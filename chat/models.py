"""Conversations: a tree of questions and answers, of which one branch is shown, and the presets they begin with."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat import markdown
from library.trash import Trashable, TrashQuerySet

TITLE_LIMIT = 200
MODEL_LIMIT = 200
TEXT_LIMIT = 200_000  # characters of a message
LOST_AFTER = timedelta(seconds=60)  # without a word from the thread that writes


class SystemPreset(models.Model):
    """What a model is told before a conversation begins. Data that the owner edits."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    text = models.TextField(_("what the model is told"))
    temperature = models.FloatField(
        _("temperature"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text=_("0.0 to 2.0; empty leaves it to the model."),
    )  # fmt: skip
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        db_table = "system_presets"
        ordering = ["position", "name"]
        verbose_name = _("preset")
        verbose_name_plural = _("presets")
        constraints = [
            models.CheckConstraint(
                condition=Q(temperature__isnull=True) | Q(temperature__gte=0, temperature__lte=2),
                name="preset_temperature",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ConversationQuerySet(TrashQuerySet):
    """Conversations, in words."""

    def current(self) -> Self:
        """Return conversations that are neither archived nor in the trash."""
        return self.live().filter(archived_at=None)

    def archived(self) -> Self:
        """Return conversations that are put aside."""
        return self.live().filter(archived_at__isnull=False)


class Conversation(Trashable):
    """A conversation. Its messages are a tree; `leaf` is the end of the branch that is shown."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(_("title"), max_length=TITLE_LIMIT, blank=True)
    model = models.CharField(_("model"), max_length=MODEL_LIMIT, blank=True)
    preset = models.ForeignKey(SystemPreset, models.SET_NULL, null=True, blank=True, verbose_name=_("preset"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("begun by")
    )
    leaf = models.ForeignKey("Message", models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    last_position = models.PositiveIntegerField(default=0, editable=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("last written in"), default=timezone.now, editable=False)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        db_table = "conversations"
        ordering = ["-updated_at", "-pk"]
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        indexes = [
            *Trashable.Meta.indexes,
            models.Index(
                fields=["-updated_at", "-id"], condition=Q(deleted_at=None, archived_at=None), name="chat_current"
            ),
            models.Index(
                fields=["-updated_at", "-id"],
                condition=Q(deleted_at=None, archived_at__isnull=False),
                name="chat_archived",
            ),
        ]

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        """Return the conversation's page."""
        return reverse("chat:conversation", args=[self.pk])

    @property
    def display_title(self) -> str:
        """Return the title; one that nobody has written in yet may have none."""
        return self.title or gettext("New conversation")

    @property
    def is_archived(self) -> bool:
        """Whether it is put aside."""
        return self.archived_at is not None


class Role(models.TextChoices):
    """Who speaks."""

    USER = "user", _("You")
    ASSISTANT = "assistant", _("Model")


class State(models.TextChoices):
    """How far a message is. A question is done when it is there."""

    WRITING = "writing", _("Writing")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")
    BROKEN = "broken", _("Broken off")
    FAILED = "failed", _("Failed")


class MessageQuerySet(models.QuerySet[Any]):
    """Messages, in words."""

    def being_written(self, now: datetime) -> Self:
        """Return answers that a thread is writing."""
        return self.filter(state=State.WRITING, saved_at__gte=now - LOST_AFTER)

    def lost(self, now: datetime) -> Self:
        """Return answers whose thread has not been heard of for too long: its process has died."""
        return self.filter(state=State.WRITING, saved_at__lt=now - LOST_AFTER)


class Message(models.Model):
    """A question or an answer. Messages with one parent are siblings: the same question asked or answered anew."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="messages", db_index=False, verbose_name=_("conversation")
    )
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    position = models.PositiveIntegerField(_("position"), help_text=_("In the order of sending, from 1."))
    depth = models.PositiveIntegerField(_("number in its branch"), default=1)
    role = models.CharField(_("role"), max_length=10, choices=Role)
    text = models.TextField(_("text"), blank=True)
    thinking = models.TextField(_("thinking"), blank=True)
    html = models.TextField(blank=True, editable=False)
    html_version = models.PositiveSmallIntegerField(default=0, editable=False)
    model = models.CharField(_("model"), max_length=MODEL_LIMIT, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DONE)
    is_stopping = models.BooleanField(default=False, editable=False)
    error_message = models.TextField(_("error"), blank=True)
    prompt_tokens = models.PositiveIntegerField(_("tokens read"), null=True, blank=True)
    tokens = models.PositiveIntegerField(_("tokens written"), null=True, blank=True)
    tokens_per_second = models.FloatField(_("tokens per second"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    context_tokens = models.PositiveIntegerField(_("size of the context"), null=True, blank=True)
    left_out = models.PositiveIntegerField(
        _("messages left out"), default=0, help_text=_("The oldest, which did not fit into the context.")
    )
    saved_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        db_table = "chat_messages"
        ordering = ["position"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "position"], name="message_position_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="message_role"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="message_state"),
        ]
        indexes = [
            models.Index(fields=["saved_at"], condition=Q(state="writing"), name="message_writing"),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def is_question(self) -> bool:
        """Whether a person wrote it."""
        return self.role == Role.USER

    @property
    def is_being_written(self) -> bool:
        """Whether more of it is to come."""
        return self.state == State.WRITING

    def is_lost(self, now: datetime) -> bool:
        """Whether the thread that writes it has not been heard of for too long."""
        return self.is_being_written and self.saved_at < now - LOST_AFTER

    @property
    def safe_html(self) -> SafeString:
        """Return the text as HTML that can do no harm: what was kept when it ended, or made now."""
        if self.html_version == markdown.VERSION:
            return mark_safe(self.html)  # noqa: S308  # made by markdown.render
        return markdown.render(self.text)

    @property
    def context_used(self) -> int | None:
        """Return how much of the context question and answer took, in per cent, if the model told."""
        if not (self.prompt_tokens and self.context_tokens):
            return None
        return min(100, round(100 * (self.prompt_tokens + (self.tokens or 0)) / self.context_tokens))
