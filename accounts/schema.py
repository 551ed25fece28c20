"""How the OpenAPI schema describes our way of signing in."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.settings import knox_settings


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """`Authorization: Token ...`."""

    target_class = "accounts.authentication.AccessTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the scheme, with the prefix it needs spelt out."""
        prefix = str(knox_settings.AUTH_HEADER_PREFIX)
        scheme: dict[str, Any] = build_bearer_security_scheme_object("Authorization", prefix)
        return scheme
