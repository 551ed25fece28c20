"""What is remembered of how the studio fares: tallies, added to by every process, and the state of each alert."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Tally(models.Model):
    """How often something took about so long: one bucket of a histogram. Every process only ever adds to it."""

    metric = models.CharField(_("what"), max_length=20)
    labels = models.CharField(_("of which kind"), max_length=250, help_text=_("Separated by tabs."))
    at_most = models.FloatField(_("at most"), help_text=_("Seconds; the upper bound of the bucket."))
    count = models.PositiveBigIntegerField(_("how often"), default=0)
    seconds = models.FloatField(_("how long"), default=0.0, help_text=_("Seconds, all together."))

    class Meta:
        db_table = "watch_tallies"
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [models.UniqueConstraint(fields=["metric", "labels", "at_most"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.metric} {self.labels}"


class AlertQuerySet(models.QuerySet[Any]):
    """Alerts, in words."""

    def red_and_untold(self) -> Self:
        """Return what is red and nobody has been told of."""
        return self.filter(is_red=True, was_told_red=False)

    def green_and_untold(self) -> Self:
        """Return what is green again and nobody has been told of."""
        return self.filter(is_red=False, was_told_red=True)

    def since(self, moment: datetime) -> Self:
        """Return what has been as it is since that moment or longer."""
        return self.filter(since__lte=moment)


class Alert(models.Model):
    """Whether one thing that is watched is red, and what people were last told of it."""

    check_name = models.CharField(_("what is watched"), max_length=50, primary_key=True)
    is_red = models.BooleanField(_("red"), default=False)
    since = models.DateTimeField(_("since"), default=timezone.now)
    red_since = models.DateTimeField(_("last red since"), null=True, blank=True)
    code = models.CharField(_("code"), max_length=50, blank=True)
    message = models.TextField(_("what is wrong"), blank=True)
    was_told_red = models.BooleanField(_("people think it red"), default=False)
    told_at = models.DateTimeField(_("last message"), null=True, blank=True)
    # The message that is being sent now.
    sent_by = models.CharField(_("sent by"), max_length=50, blank=True, help_text=_("Ways that it has gone already."))
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("tries"), default=0)
    error = models.TextField(_("why it was not sent"), blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        db_table = "watch_alerts"
        ordering = ["check_name"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")

    def __str__(self) -> str:
        return self.check_name
