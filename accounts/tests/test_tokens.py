"""API tokens: named, shown once, hashed at rest, expiring, revocable, with their last use."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts import services
from accounts.models import AccessToken
from accounts.tests.factories import PASSWORD, make_owner, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/auth/token/"


def sign(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


def works(text: str) -> bool:
    """Whether the token opens a door, seen without closing it: a signed POST with no body is a 400, else a 401."""
    return sign(text).post(ADDRESS, {}).status_code == 400


def test_name_and_password_give_a_token_that_is_shown_once() -> None:
    user = make_user()
    response = APIClient().post(ADDRESS, {"username": "ada", "password": PASSWORD, "name": "Backup"})
    assert response.status_code == 201
    assert set(response.data) == {"token", "name", "created", "expiry"}
    assert response["Cache-Control"] == "no-store"
    token = AccessToken.objects.get(user=user)
    assert token.name == "Backup"
    assert timedelta(days=89) < token.expiry - timezone.now() <= timedelta(days=90)
    assert response.data["token"].startswith("macai_")
    assert works(response.data["token"])


def test_only_a_hash_of_the_token_is_kept() -> None:
    _token, text = services.issue_token(user=make_user(), name="Backup")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM access_tokens")
        kept = " ".join(str(value) for row in cursor.fetchall() for value in row)
    assert text not in kept
    assert text[20:] not in kept


@pytest.mark.parametrize("body", [{"username": "ada", "password": "wrong"}, {"username": "eve", "password": PASSWORD}])
def test_wrong_credentials_are_a_401_that_names_the_scheme(body: dict[str, str]) -> None:
    make_user()
    response = APIClient().post(ADDRESS, body)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert not AccessToken.objects.exists()


def test_a_switched_off_account_gets_no_token_and_loses_its_old_ones() -> None:
    user = make_user()
    _token, text = services.issue_token(user=user, name="Backup")
    user.is_active = False
    user.save()
    assert APIClient().post(ADDRESS, {"username": "ada", "password": PASSWORD}).status_code == 401
    assert not works(text)


def test_a_missing_field_is_a_400_that_names_it() -> None:
    response = APIClient().post(ADDRESS, {"username": "ada"})
    assert response.status_code == 400
    assert list(response.data) == ["password"]


def test_a_token_revokes_itself() -> None:
    user = make_user()
    _other, other_text = services.issue_token(user=user, name="Other")
    _token, text = services.issue_token(user=user, name="Backup")
    assert sign(text).delete(ADDRESS).status_code == 204
    assert not works(text)
    assert sign(text).delete(ADDRESS).status_code == 401
    assert works(other_text)


def test_revoking_needs_a_token() -> None:
    assert APIClient().delete(ADDRESS).status_code == 401
    client = APIClient()
    client.force_login(make_user())
    assert client.delete(ADDRESS).status_code == 401


def test_an_expired_token_does_not_work() -> None:
    _token, text = services.issue_token(user=make_user(), name="Backup", lifetime=timedelta(seconds=-1))
    assert not works(text)


@pytest.mark.parametrize("text", ["macai_0000", "macai_ä", "x" * 5000, "a b"])
def test_a_token_that_never_was_is_a_401(text: str) -> None:
    assert APIClient().delete(ADDRESS, HTTP_AUTHORIZATION=f"Token {text}").status_code == 401


def test_the_last_use_is_noted_to_the_minute() -> None:
    token, text = services.issue_token(user=make_user(), name="Backup")
    assert works(text)
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert timezone.now() - token.last_used_at < timedelta(seconds=10)
    earlier = timezone.now() - timedelta(seconds=30)
    AccessToken.objects.update(last_used_at=earlier)
    assert works(text)
    token.refresh_from_db()
    assert token.last_used_at == earlier


def test_the_profile_shows_a_new_token_once(client: Client) -> None:
    client.force_login(make_user())
    response = client.post(reverse("accounts:token-create"), {"name": "Phone"})
    assert response.status_code == 201
    text = response.context["new_token_text"]
    assert text in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert works(text)
    assert text not in client.get(reverse("accounts:profile")).content.decode()
    assert text not in str(dict(client.session))


def test_a_token_needs_a_name(client: Client) -> None:
    client.force_login(make_user())
    response = client.post(reverse("accounts:token-create"), {"name": ""})
    assert response.status_code == 422
    assert b'id="id_name_error"' in response.content


def test_one_revokes_ones_own_tokens_only(client: Client) -> None:
    mine, my_text = services.issue_token(user=make_user(), name="Mine")
    other, other_text = services.issue_token(user=make_user(username="eve"), name="Hers")
    client.force_login(mine.user)
    assert client.post(reverse("accounts:token-revoke", args=[other.token_key])).status_code == 404
    assert works(other_text)
    assert client.post(reverse("accounts:token-revoke", args=[mine.token_key])).status_code == 302
    assert not works(my_text)


def test_the_admin_shows_tokens_without_secrets_and_revokes_them(client: Client) -> None:
    owner = make_owner()
    token, text = services.issue_token(user=owner, name="Backup")
    client.force_login(owner)
    page = client.get(reverse("admin:accounts_accesstoken_changelist")).content.decode()
    assert "Backup" in page
    assert text not in page
    detail = client.get(reverse("admin:accounts_accesstoken_change", args=[token.pk])).content.decode()
    assert f"{token.token_key}..." in detail
    assert client.get(reverse("admin:accounts_accesstoken_add")).status_code == 403
    action = {"action": "revoke", "_selected_action": [token.pk]}
    assert client.post(reverse("admin:accounts_accesstoken_changelist"), action).status_code == 302
    assert not works(text)


def test_the_schema_tells_how_to_sign_in() -> None:
    generator: Any = SchemaGenerator  # untyped
    schema = generator().get_schema(request=None, public=True)
    scheme = schema["components"]["securitySchemes"]["token"]
    assert (scheme["in"], scheme["name"]) == ("header", "Authorization")
    operations = schema["paths"][ADDRESS]
    assert {"201", "400", "401"} <= set(operations["post"]["responses"])
    assert {"204", "401"} <= set(operations["delete"]["responses"])
