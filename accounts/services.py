"""What can be done with accounts: create the owner, issue and revoke API tokens."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AccessToken, User


class OwnerExistsError(PermissionDenied):
    """Somebody has an account already, so nobody may become the owner without one."""


def studio_has_owner() -> bool:
    """Tell whether anybody has an account."""
    return User.objects.exists()


def create_owner(*, username: str, password: str, email: str = "") -> User:
    """Create the studio's first account, a superuser. Of two visitors at once, one becomes the owner.

    Raises:
        ValidationError: with messages for `username`, `email` or `password`.
        OwnerExistsError: there is an account already.
    """
    owner = User(
        username=User.normalize_username(username),
        email=User.objects.normalize_email(email),
        is_staff=True,
        is_superuser=True,
    )
    owner.clean_fields(exclude=["password"])
    _check_password(password, owner)
    owner.set_password(password)  # slow on purpose, so before the lock
    with transaction.atomic():
        # A row that always exists makes the visitors queue: an empty table has nothing to lock.
        ContentType.objects.select_for_update().get(app_label="accounts", model="user")
        if studio_has_owner():
            raise OwnerExistsError(_("The studio has an owner already."))
        owner.save(force_insert=True)
    return owner


def _check_password(password: str, owner: User) -> None:
    if not password:
        raise ValidationError({"password": _("Choose a password.")})
    try:
        validate_password(password, owner)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


def issue_token(*, user: User, name: str, lifetime: timedelta | None = None) -> tuple[AccessToken, str]:
    """Make an API token. The second value is its text, which is kept nowhere. It lives `lifetime`, or TOKEN_DAYS."""
    options: dict[str, Any] = {} if lifetime is None else {"expiry": lifetime}
    token: tuple[AccessToken, str] = AccessToken.objects.create(user=user, name=name, **options)
    return token


def revoke_token(token: AccessToken) -> None:
    """Make a token useless at once."""
    token.delete()
