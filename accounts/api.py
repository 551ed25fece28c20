"""Tokens for API clients, as an API."""

from typing import Any, cast

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import lockout, services
from accounts.authentication import AccessTokenAuthentication
from accounts.models import AccessToken, User
from accounts.proxies import client_network
from accounts.throttling import AnonymousThrottle, TokenThrottle, UserThrottle


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was refused."""

    detail = serializers.CharField()


class CredentialsSerializer(serializers.Serializer[Any]):
    """What a token is asked for with."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(trim_whitespace=False, max_length=1000, style={"input_type": "password"})
    name = serializers.CharField(max_length=100, default="API", help_text=_("What the token is for."))


class IssuedTokenSerializer(serializers.ModelSerializer[AccessToken]):
    """A token at the only moment when its text is known."""

    token = serializers.SerializerMethodField(help_text=_("Shown once. Send it as `Authorization: Token ...`."))

    class Meta:
        model = AccessToken
        fields = ["token", "name", "created", "expiry"]
        read_only_fields = fields

    def get_token(self, token: AccessToken) -> str:
        """Return the text that `issue_token` gave."""
        text: str = self.context["text"]
        return text


class TokenView(APIView):
    """Sign an API client in, and out."""

    authentication_classes = [AccessTokenAuthentication]
    throttle_classes = [UserThrottle, AnonymousThrottle, TokenThrottle]

    def get_permissions(self) -> list[BasePermission]:
        """Anybody may ask for a token; only its bearer may revoke one."""
        return [AllowAny()] if self.request.method == "POST" else [IsAuthenticated()]

    @extend_schema(
        operation_id="token_create",
        tags=["auth"],
        auth=[],
        request=CredentialsSerializer,
        responses={
            201: IssuedTokenSerializer,
            400: OpenApiResponse(description="A field is missing or too long; the answer names it."),
            401: OpenApiResponse(ProblemSerializer, description="Name and password do not match."),
            429: OpenApiResponse(ProblemSerializer, description="Too many attempts; Retry-After says for how long."),
        },
    )
    def post(self, request: Request) -> Response:
        """Exchange name and password for a token. The token is shown in this answer only; what is kept is its hash."""
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        data = credentials.validated_data
        # Django's own request, on which the lock-out notes what its middleware answers.
        asked: HttpRequest = request._request  # noqa: SLF001
        user = authenticate(asked, username=data["username"], password=data["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed(_("Name and password do not match."))
        lockout.forget(user.get_username(), client_network(asked))
        token, text = services.issue_token(user=user, name=data["name"])
        answer = IssuedTokenSerializer(token, context={"text": text}).data
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(
        operation_id="token_revoke",
        tags=["auth"],
        request=None,
        responses={
            204: OpenApiResponse(description="Revoked."),
            401: OpenApiResponse(ProblemSerializer, description="No token, or one that does not work."),
        },
    )
    def delete(self, request: Request) -> Response:
        """Revoke the token that signs this request."""
        services.revoke_token(cast("AccessToken", request.auth))
        return Response(status=status.HTTP_204_NO_CONTENT)
