"""Clients of the API for tests."""

import itertools

from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_token
from accounts.tests.factories import make_user

numbers = itertools.count(1)


def make_api_client(user: User | None = None) -> APIClient:
    """Make a client of the API with a token of the user's (of a new user's, if none is given)."""
    _token, text = issue_token(user=user or make_user(username=f"client-{next(numbers)}"), name="tests")
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client
