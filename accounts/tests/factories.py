"""Accounts for tests."""

from typing import Any

from accounts.models import User

PASSWORD = "correct horse 7"


def make_user(**overrides: Any) -> User:
    fields = {"username": "ada", "password": PASSWORD, "email": "ada@example.org"} | overrides
    return User.objects.create_user(**fields)


def make_owner(**overrides: Any) -> User:
    return make_user(is_staff=True, is_superuser=True, **overrides)
