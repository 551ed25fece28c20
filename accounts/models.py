"""The people who use the studio, and the tokens of their programs."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox ships no types
    """A person of the household. `is_staff` opens the admin."""


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
