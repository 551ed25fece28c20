"""What the imitated providers remember: Mureka's account, every accepted submission, and who was troubled before."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F

ACCOUNT_ID = 92_945_101_357_057
FIRST_TASK_ID = 1_000_000_000


class Kind(models.TextChoices):
    """What was ordered. Only songs and instrumentals are followed; stems and lyrics are answered at once."""

    SONG = "song"
    INSTRUMENTAL = "instrumental"
    STEM = "stem"
    LYRICS = "lyrics"


class MurekaAccount(models.Model):
    """The one account. What it was filled with and how much it does at once are settings, read live."""

    spending = models.PositiveIntegerField(default=0, help_text="US cents")

    def __str__(self) -> str:
        return str(ACCOUNT_ID)

    @property
    def balance(self) -> int:
        """What is left, in US cents. A higher MOCKAPI_BALANCE is a top-up."""
        return max(0, settings.MOCKAPI_BALANCE - self.spending)

    @classmethod
    def current(cls) -> "MurekaAccount":
        """Return the account's row, made on first use."""
        return cls.objects.get_or_create(pk=1)[0]

    def charge(self, cents: int) -> bool:
        """Take `cents` if they are there: one conditional UPDATE, which also locks the row for the transaction."""
        affordable = type(self).objects.filter(pk=self.pk, spending__lte=settings.MOCKAPI_BALANCE - cents)
        return affordable.update(spending=F("spending") + cents) == 1


class MurekaTaskQuerySet(models.QuerySet["MurekaTask"]):
    """The tasks' vocabulary."""

    def in_flight(self, now: datetime) -> "MurekaTaskQuerySet":
        """Return what counts against the concurrency limit: from submission to completion."""
        return self.filter(kind__in=[Kind.SONG, Kind.INSTRUMENTAL], ready_at__gt=now)


class MurekaTask(models.Model):
    """One accepted submission. Its status is computed from the clock, so that a query writes nothing."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    model = models.CharField(max_length=100, help_text="resolved, never auto")
    n = models.PositiveSmallIntegerField(default=1)
    scenario = models.CharField(max_length=4)
    request = models.JSONField(help_text="the body as it was sent")
    cents = models.PositiveIntegerField(help_text="charged, US cents")
    audio_ms = models.PositiveIntegerField(help_text="length of the audio before the choice's own variation")
    troubles = models.PositiveSmallIntegerField(default=0, help_text="troubled answers already given (0005, 0006)")
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(db_index=True)

    objects = MurekaTaskQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def public_id(self) -> str:
        """The id that clients see: numeric, and never used twice."""
        return str(FIRST_TASK_ID + self.pk)

    def choice_ms(self, index: int) -> int:
        """Length of one choice in milliseconds; takes differ by up to 2 s, as real ones do."""
        if self.audio_ms < 10_000:
            return self.audio_ms
        return min(self.audio_ms + (self.pk * 7919 + index * 613) % 2001, 330_000)

    def take_trouble(self, limit: int) -> bool:
        """Count one troubled answer if fewer than `limit` were given; exact with any number of processes."""
        if self.troubles >= limit:
            return False
        untroubled = MurekaTask.objects.filter(pk=self.pk, troubles__lt=limit)
        return untroubled.update(troubles=F("troubles") + 1) == 1


class MurekaRefusal(models.Model):
    """A body that scenario 0007 has refused once and accepts the next time."""

    fingerprint = models.CharField(max_length=64, unique=True)
    refused_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.fingerprint


class OpenAISubmission(models.Model):
    """One accepted request for pictures. Its work ends at `ready_at`, whether or not anybody still waits for it."""

    id = models.BigAutoField(primary_key=True)
    endpoint = models.CharField(max_length=20, help_text="generations or edits")
    model = models.CharField(max_length=100)
    n = models.PositiveSmallIntegerField(default=1)
    scenario = models.CharField(max_length=4)
    prompt = models.TextField()
    request = models.JSONField(help_text="what was sent, without files")
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField()

    class Meta:
        verbose_name = "OpenAI submission"

    def __str__(self) -> str:
        return f"{self.endpoint} {self.pk}"


class Trouble(models.Model):
    """A body that scenario 0006 or 0007 has refused at OpenAI or Ollama, and how often; a later one passes."""

    fingerprint = models.CharField(max_length=64, unique=True)
    given = models.PositiveSmallIntegerField(default=0)
    given_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.fingerprint


class OllamaLoad(models.Model):
    """A model that Ollama holds in memory until nobody has wanted it for a while."""

    name = models.CharField(max_length=255, unique=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "Ollama load"

    def __str__(self) -> str:
        return self.name
