"""System checks: what production refuses to start with."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def production_refuses_unsafe_defaults(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """With DEBUG=false: no wildcard host, no guessable secret, no open mock."""
    if not settings.IS_PRODUCTION:
        return []
    errors: list[CheckMessage] = []
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        errors.append(Error("ALLOWED_HOSTS must name the studio's own hosts in production.", id="macai.E001"))
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 5:
        errors.append(Error("SECRET_KEY must be at least 50 random characters in production.", id="macai.E002"))
    if settings.MOCKAPI_ENABLED and not settings.MOCKAPI_KEY:
        errors.append(Error("MOCKAPI_KEY is required where production serves the mock.", id="macai.E003"))
    return errors
