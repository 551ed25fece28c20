"""The people who use the studio, and the tokens of their programs."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Self

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from accounts.hashers import adopted
from accounts.proxies import parsed

MODEL_LENGTH = 255
FEWEST_ITEMS, MOST_ITEMS = 10, 200


class Theme(models.TextChoices):
    """How the pages look: these are the words of Django's own switch (admin/js/theme.js)."""

    AUTO = "auto", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox ships no types
    """A person of the household, with what this person likes. `is_staff` opens the admin."""

    chat_model = models.CharField(
        _("model for chat"), max_length=MODEL_LENGTH, blank=True, help_text=_("Of Ollama, such as llama3.2:latest.")
    )
    text_model = models.CharField(
        _("model for texts"),
        max_length=MODEL_LENGTH,
        blank=True,
        help_text=_("Of Ollama, for templates that name none."),
    )
    song_model = models.CharField(_("model for songs"), max_length=MODEL_LENGTH, blank=True)
    image_model = models.CharField(_("model for pictures"), max_length=MODEL_LENGTH, blank=True)
    items_per_page = models.PositiveSmallIntegerField(
        _("items per page"),
        null=True,
        blank=True,
        validators=[MinValueValidator(FEWEST_ITEMS), MaxValueValidator(MOST_ITEMS)],
        help_text=_("10 to 200. Empty: as many as suit each list."),
    )
    theme = models.CharField(_("theme"), max_length=10, choices=Theme.choices, default=Theme.AUTO)

    def check_password(self, raw_password: str | None) -> bool:
        """Compare; a hash that is not of the first hasher is replaced. The earlier system's are known by their look."""
        self.password = adopted(self.password)
        return super().check_password(raw_password)


class AccessToken(AbstractAuthToken):  # type: ignore[misc]  # knox ships no types
    """An API token: named, kept as a hash only, expiring and revocable."""

    name = models.CharField(_("name"), max_length=100, default="API")
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        db_table = "access_tokens"
        ordering = ["-created"]
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}...)"

    @property
    def is_expired(self) -> bool:
        """Whether the token has stopped working by its own date."""
        expiry: Any = self.expiry
        return expiry is not None and expiry <= timezone.now()


class FailedSignInQuerySet(models.QuerySet[Any]):
    """Failed sign-ins, in words."""

    def recent(self) -> Self:
        """Return those that still count."""
        return self.filter(attempt_time__gt=timezone.now() - timedelta(seconds=settings.SIGN_IN_PAUSE_SECONDS))

    def stale(self) -> Self:
        """Return those that no longer count."""
        return self.filter(attempt_time__lte=timezone.now() - timedelta(seconds=settings.SIGN_IN_PAUSE_SECONDS))

    def of(self, name: str, address: str | None) -> Self:
        """Return those of a name from an address."""
        return self.filter(username=name, ip_address=address)

    def named(self, words: Iterable[str]) -> Self:
        """Return those of any of the names, or from any of the addresses."""
        addresses = [str(address) for word in words if (address := parsed(word))]
        return self.filter(Q(username__in=words) | Q(ip_address__in=addresses))


class FailedSignIn(AccessAttempt):  # type: ignore[misc]  # axes ships no types
    """How often a name failed to sign in from an address, and when last (accounts/lockout.py)."""

    objects = FailedSignInQuerySet.as_manager()

    class Meta:
        proxy = True
        verbose_name = _("failed sign-in")
        verbose_name_plural = _("failed sign-ins")

    def __str__(self) -> str:
        return f"{self.username} ({self.ip_address})"

    @property
    def is_locked(self) -> bool:
        """Whether this name is kept out from this address now."""
        is_recent = self.attempt_time > timezone.now() - timedelta(seconds=settings.SIGN_IN_PAUSE_SECONDS)
        return bool(is_recent and self.failures_since_start >= settings.SIGN_IN_ATTEMPTS)
