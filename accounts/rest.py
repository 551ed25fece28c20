"""What the API doors of every product share: who asks, what was sent, and which one wish it is."""

import uuid
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.request import Request

from accounts.api import ProblemSerializer
from accounts.models import User

BULK_LIMIT = 500  # rows
KEY_HEADER = "Idempotency-Key"
KEY_LIMIT = 200  # characters
CONFLICT = {409: OpenApiResponse(ProblemSerializer, description="It cannot be done as it stands; `detail` says why.")}
KEY_PARAMETER = OpenApiParameter(
    KEY_HEADER,
    {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT, "pattern": r"\S"},
    OpenApiParameter.HEADER,
    description=f"Any text of 1 to {KEY_LIMIT} characters that names this one wish. Sent again with the same key, what "
    "exists is returned and nothing is paid for twice.",
)


class TextField(serializers.CharField):
    """A text as it is: a number or a truth value in its place is an error, and nothing is trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"allow_blank": True, "trim_whitespace": False} | kwargs))

    def to_internal_value(self, data: Any) -> str:
        """Take texts only."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(serializers.UUIDField):
    """A UUID as text: a number in its place is an error."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        """Take texts only."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class AnyAccept(DefaultContentNegotiation):
    """A file is what it is: a player that accepts audio only gets it too."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Take the first renderer; it is for error messages only."""
        return renderers[0], renderers[0].media_type


class OwnersWrite(BasePermission):
    """Whoever may use the admin may change; anybody signed in may look."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask the one permission or the other."""
        permission = IsAuthenticated() if request.method in SAFE_METHODS else IsAdminUser()
        return permission.has_permission(request, view)


def documented(tag: str, *, one: str, many: str, making: str) -> Callable[[Any], Any]:
    """Name the five operations of a plain resource in the API's documentation, such as "List presets"."""
    return extend_schema_view(
        list=extend_schema(tags=[tag], summary=f"List {many}"),
        retrieve=extend_schema(tags=[tag], summary=f"Show {one}"),
        create=extend_schema(tags=[tag], summary=f"{making} {one}"),
        partial_update=extend_schema(tags=[tag], summary=f"Change {one}"),
        destroy=extend_schema(tags=[tag], summary=f"Delete {one}"),
    )


def checked(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return what was sent, in the right types. Raises ValidationError per field."""
    sent = serializer(data=request.data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def user_of(request: Request) -> User:
    """Return who asks; the permissions let nobody else come so far."""
    if not isinstance(request.user, User):
        raise TypeError(request.user)
    return request.user


def switch_of(request: Request, name: str) -> bool:
    """Read a parameter of the address that is on or off. Raises ValidationError for any other word."""
    value = request.query_params.get(name, "").lower() or "false"
    if value not in {"true", "1", "false", "0"}:
        raise ValidationError({name: [_("true or false.")]})
    return value in {"true", "1"}


def key_of(request: Request, namespace: uuid.UUID) -> uuid.UUID | None:
    """Turn the Idempotency-Key into the id of the one row it may make: another person's same key is another wish.

    `namespace` keeps the rows of different tables apart: they share one history.
    """
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not 1 <= len(key.strip()) <= KEY_LIMIT:
        raise ValidationError({KEY_HEADER: [_("A text of 1 to %(limit)d characters.") % {"limit": KEY_LIMIT}]})
    return uuid.uuid5(namespace, f"{user_of(request).pk}:{key.strip()}")
