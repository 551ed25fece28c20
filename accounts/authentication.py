"""How API clients prove who they are."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import AccessToken, User

LAST_USE_STEP = timedelta(minutes=1)


class AccessTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox ships no types
    """`Authorization: Token ...`, which also remembers when the token was last used (to the minute)."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AccessToken]:
        """Look the token up. Bytes that no token of ours has (knox would stumble over them) are a wrong token, too."""
        if not token.isascii() or b"\0" in token:
            raise AuthenticationFailed(_("Invalid token."))
        user_and_token: tuple[User, AccessToken] = super().authenticate_credentials(token)
        return user_and_token

    def validate_user(self, auth_token: AccessToken) -> tuple[User, AccessToken]:
        """Let an active user in and note the use, at most once a minute so that reading stays free of writes."""
        user_and_token: tuple[Any, Any] = super().validate_user(auth_token)
        now = timezone.now()
        if auth_token.last_used_at is None or now - auth_token.last_used_at > LAST_USE_STEP:
            AccessToken.objects.filter(
                Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USE_STEP), pk=auth_token.pk
            ).update(last_used_at=now)
        return user_and_token
