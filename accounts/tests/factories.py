"""Accounts for tests."""

from typing import Any

from django.test import Client

from accounts.models import User

PASSWORD = "correct horse 7"


def make_user(**overrides: Any) -> User:
    fields = {"username": "ada", "password": PASSWORD, "email": "ada@example.org"} | overrides
    return User.objects.create_user(**fields)


def make_owner(**overrides: Any) -> User:
    return make_user(is_staff=True, is_superuser=True, **overrides)


def signed_in() -> Client:
    """Make a client of somebody who has signed in."""
    client = Client()
    client.force_login(make_user())
    return client
