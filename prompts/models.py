"""Prompt templates, each version a row of its own, and what was written with them. Beside them: vocabulary.py."""

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prompts.vocabulary import SectionKind, SongStructure, StyleTerm

__all__ = ["MagicRun", "PromptTemplate", "RunState", "SectionKind", "SongStructure", "StyleTerm"]

TEXT_LIMIT = 200_000  # characters
BROKEN_OFF = _("The studio was stopped while this was written. Write it again.")
SILENCE = timedelta(seconds=60)  # a text that says it is being written, but was not saved for this long, has broken off


class PromptTemplateQuerySet(models.QuerySet["PromptTemplate"]):
    """Templates, in words."""

    def active(self) -> Self:
        """Return the versions that are used: at most one of a category and action."""
        return self.filter(active=True)

    def newest(self) -> Self:
        """Return the last version of each template."""
        return self.filter(is_latest=True)

    def with_use(self) -> Self:
        """Add `used_version`, the version of each template that is in use, and `is_used`."""
        same = PromptTemplate.objects.filter(category=OuterRef("category"), action=OuterRef("action"), active=True)
        return self.annotate(used_version=Subquery(same.values("version")[:1]), is_used=Exists(same))

    def versions_of(self, category: str, action: str) -> Self:
        """Return all versions of a template, the latest first."""
        return self.filter(category=category, action=action).order_by("-pk")


class PromptTemplate(models.Model):
    """One version of a template: the text around what a person wrote, and how the model is to answer.

    A template is named by its category and action. A version is never changed: an edit is a new row.
    """

    id = models.BigAutoField(primary_key=True)
    category = models.CharField(_("category"), max_length=50, help_text=_("The fields that offer it."))
    action = models.CharField(_("action"), max_length=50, help_text=_("What it does."))
    pre_condition = models.TextField(_("before the text"), blank=True)
    post_condition = models.TextField(_("after the text"), blank=True)
    description = models.TextField(_("description"), blank=True)
    version = models.CharField(_("version"), max_length=10, default="1", editable=False)
    model = models.CharField(_("model"), max_length=50, blank=True, help_text=_("Empty: the studio's default."))
    temperature = models.FloatField(_("temperature"), default=0.7, help_text=_("0 is exact, 2 is wild."))
    max_tokens = models.PositiveIntegerField(
        _("most tokens"), default=2048, help_text=_("A token is about three quarters of a word.")
    )
    is_text_needed = models.BooleanField(
        _("needs a text"), default=True, help_text=_("Off: it can be used on an empty field as well.")
    )
    variables = models.JSONField(_("variables"), default=list, blank=True)
    active = models.BooleanField(_("in use"), default=True)
    is_latest = models.BooleanField(_("latest version"), default=True, editable=False)
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = PromptTemplateQuerySet.as_manager()

    class Meta:
        db_table = "prompt_templates"
        ordering = ["category", "action", "-id"]
        verbose_name = _("prompt template")
        verbose_name_plural = _("prompt templates")
        constraints = [
            models.UniqueConstraint(fields=["category", "action", "version"], name="template_version_once"),
            models.UniqueConstraint(
                fields=["category", "action"], condition=Q(active=True), name="one_active_template"
            ),
            models.UniqueConstraint(
                fields=["category", "action"], condition=Q(is_latest=True), name="one_latest_template"
            ),
            models.CheckConstraint(
                condition=Q(temperature__gte=0, temperature__lte=2), name="template_temperature_0_to_2"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category}/{self.action} {self.version}"

    def get_absolute_url(self) -> str:
        """Return the page of the version."""
        return reverse("prompts:detail", args=[self.pk])

    @property
    def display_name(self) -> str:
        """Return the action as a menu shows it."""
        return self.action.replace("_", " ").capitalize()


class RunState(models.TextChoices):
    """How far a text is."""

    WRITING = "writing", _("Being written")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class MagicRunQuerySet(models.QuerySet["MagicRun"]):
    """Runs, in words."""

    def writing(self) -> Self:
        """Return the runs that say they are being written, including those that have broken off."""
        return self.filter(state=RunState.WRITING)

    def broken_off(self) -> Self:
        """Return the runs whose web process died while it wrote."""
        return self.writing().filter(saved_at__lt=timezone.now() - SILENCE)


class MagicRun(models.Model):
    """One text: what went in, by which version of which template, if by any, and what came out. Kept as it grows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    template_version = models.ForeignKey(
        PromptTemplate, models.SET_NULL, null=True, related_name="runs", verbose_name=_("template")
    )
    category = models.CharField(_("category"), max_length=50)
    action = models.CharField(_("action"), max_length=50)
    version = models.CharField(_("version"), max_length=10)
    variables = models.JSONField(_("variables"), default=dict, blank=True)
    input_text = models.TextField(_("text"), blank=True)
    prompt = models.TextField(_("prompt as sent"), blank=True)
    output_text = models.TextField(_("answer"), blank=True)
    thinking = models.TextField(_("thoughts"), blank=True)
    model = models.CharField(_("model"), max_length=100, blank=True)
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    tokens = models.PositiveIntegerField(_("tokens"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.WRITING)
    finish_reason = models.CharField(_("ended by"), max_length=20, blank=True)
    error_message = models.TextField(_("what went wrong"), blank=True)
    is_trial = models.BooleanField(_("from the test bench"), default=False)
    is_stop_asked = models.BooleanField(default=False, editable=False)
    previous = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("written again after")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    saved_at = models.DateTimeField(_("last saved"), default=timezone.now, editable=False)

    objects = MagicRunQuerySet.as_manager()

    class Meta:
        db_table = "magic_runs"
        ordering = ["-created_at", "-id"]
        verbose_name = _("magic run")
        verbose_name_plural = _("magic runs")
        indexes = [models.Index(fields=["-created_at", "-id"], name="magic_run_newest")]

    def __str__(self) -> str:
        return f"{f'{self.category}/{self.action} {self.version}'.strip()}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_broken_off(self) -> bool:
        """Whether the web process died while it wrote. The text so far is kept."""
        return self.state == RunState.WRITING and self.saved_at < timezone.now() - SILENCE

    @property
    def is_being_written(self) -> bool:
        """Whether more of the text may come."""
        return self.state == RunState.WRITING and not self.is_broken_off

    @property
    def shown_state(self) -> RunState:
        """Return the state as a person is told it: what has broken off has failed."""
        return RunState.FAILED if self.is_broken_off else RunState(self.state)

    @property
    def shown_error(self) -> str:
        """Return what went wrong; "" if nothing did."""
        return str(BROKEN_OFF) if self.is_broken_off else self.error_message

    @property
    def is_cut_off(self) -> bool:
        """Whether the text ends where it does because the most tokens were used up."""
        return self.state == RunState.DONE and self.finish_reason == "length"


class TitleOrigin(models.Model):
    """How a title came about: what a person wrote, what magic made of it, and the run; see prompts/origins.py."""

    title_written = models.TextField(_("title as written"), blank=True, editable=False)
    title_magic = models.TextField(_("title as magic made it"), blank=True, editable=False)
    title_run = models.ForeignKey(
        MagicRun, models.SET_NULL, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("magic of the title"),
    )  # fmt: skip

    class Meta:
        abstract = True
