"""What is told about backups. The folder of backups is the truth: these rows can be written anew from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """How a backup stands."""

    RUNNING = "running", _("Being made")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class BackupQuerySet(models.QuerySet[Any]):
    """Backups, in words."""

    def good(self) -> Self:
        """Return backups that are whole."""
        return self.filter(state=State.DONE)

    def running(self) -> Self:
        """Return backups that are being made."""
        return self.filter(state=State.RUNNING)


class Backup(models.Model):
    """One backup, or one try."""

    name = models.CharField(_("name"), max_length=100, blank=True)
    state = models.CharField(_("result"), max_length=10, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField(_("started"), default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    files = models.PositiveBigIntegerField(_("files"), default=0)
    missing = models.PositiveBigIntegerField(
        _("missing files"), default=0, help_text=_("Files that rows speak of, but which the library did not have.")
    )
    media_bytes = models.PositiveBigIntegerField(_("size of the files"), default=0, help_text=_("Bytes."))
    database_bytes = models.PositiveBigIntegerField(_("size of the database"), default=0, help_text=_("Bytes."))
    new_bytes = models.PositiveBigIntegerField(
        _("size of what was new"), default=0, help_text=_("Bytes that this backup added to the folder.")
    )
    is_encrypted = models.BooleanField(_("encrypted"), default=False)
    message = models.TextField(_("message"), blank=True)
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)
    verify_failed_at = models.DateTimeField(
        _("last verification failed"), null=True, blank=True, help_text=_("Empty if the last one found it good.")
    )
    verify_message = models.TextField(_("what the verification found"), blank=True)

    objects = BackupQuerySet.as_manager()

    class Meta:
        db_table = "backups"
        ordering = ["-started_at", "-pk"]
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=~models.Q(name=""), name="backup_name_once"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.get_state_display())

    @property
    def duration(self) -> timedelta | None:
        """How long it took."""
        return self.finished_at - self.started_at if self.finished_at else None


def newest_backup_at() -> datetime | None:
    """Return the moment that the newest whole backup shows; None if there is none. One cheap query."""
    newest: datetime | None = Backup.objects.good().aggregate(at=models.Max("started_at"))["at"]
    return newest


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of verifications, and since when there has been anything to verify. Times, None if never."""

    good_at: datetime | None
    failed_at: datetime | None
    damaged_at: datetime | None
    first_backup_at: datetime | None

    @property
    def is_damage_open(self) -> bool:
        """Whether a backup was found damaged, and none was found good since."""
        return self._is_open(self.damaged_at)

    @property
    def is_failure_open(self) -> bool:
        """Whether a verification failed, for whatever reason, and none was good since."""
        return self._is_open(self.failed_at)

    def _is_open(self, at: datetime | None) -> bool:
        return at is not None and (self.good_at is None or at > self.good_at)


def verification() -> Verification:
    """Return how backups were verified. One cheap query."""
    return Verification(
        **Backup.objects.aggregate(
            good_at=models.Max("verified_at"),
            failed_at=models.Max("verify_failed_at"),
            damaged_at=models.Max("verify_failed_at", filter=models.Q(state=State.FAILED)),
            first_backup_at=models.Min("started_at", filter=models.Q(state=State.DONE)),
        )
    )
