"""System checks: what production refuses to start with."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.urls import Resolver404, get_resolver


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


@register()
def the_admin_has_an_address_of_its_own(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Nothing else may be at ADMIN_PATH, or below where it begins: the first of two addresses would hide the other."""
    if settings.MOCKAPI_ONLY:
        return []
    first = f"/{settings.ADMIN_PATH.partition('/')[0]}/"
    try:
        is_taken = get_resolver().resolve(first).namespace != "admin"
    except Resolver404:
        is_taken = False
    if is_taken or first in {settings.STATIC_URL, "/mock/"}:
        words = f"ADMIN_PATH is {settings.ADMIN_PATH}, where something else is already."
        return [Error(words, id="macai.E004")]
    return []
