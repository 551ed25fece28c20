"""Passwords: argon2 for all; the earlier system's bcrypt hashes are good for one sign-in, which replaces them."""

import bcrypt
import pytest
from django.contrib.auth.hashers import get_hasher, make_password
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import make_owner, make_user

pytestmark = pytest.mark.django_db
WORDS = "correct horse 7 - grüße"


@pytest.fixture(autouse=True)
def _as_in_production(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = settings.SLOW_PASSWORD_HASHERS


def earlier_hash(password: str, version: str = "2b") -> str:
    """Make a hash as Flask's bcrypt does: text of 60 characters, of the first 72 bytes."""
    salt = f"${version}$04$".encode() + bcrypt.gensalt(4)[7:]
    return bcrypt.hashpw(password.encode()[:72], salt).decode()


def make_earlier_user(*, hashed: str) -> User:
    user = make_user()
    User.objects.filter(pk=user.pk).update(password=hashed)
    user.refresh_from_db()
    return user


def test_a_new_password_is_hashed_with_argon2() -> None:
    assert get_hasher().algorithm == "argon2"
    assert make_user(password=WORDS).password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("version", ["2a", "2b", "2y"])
@pytest.mark.parametrize("prefix", ["", "bcrypt$"])
def test_an_earlier_hash_opens_the_door_once_and_is_replaced(client: Client, version: str, prefix: str) -> None:
    user = make_earlier_user(hashed=prefix + earlier_hash(WORDS, version))
    answer = client.post(reverse("accounts:sign-in"), {"username": "ada", "password": WORDS})
    assert answer.status_code == 302
    assert client.get(reverse("accounts:profile")).status_code == 200
    user.refresh_from_db()
    assert user.password.startswith("argon2$")
    assert APIClient().post("/api/v1/auth/token/", {"username": "ada", "password": WORDS}).status_code == 201


def test_a_wrong_password_replaces_nothing(client: Client) -> None:
    user = make_earlier_user(hashed=earlier_hash(WORDS))
    answer = client.post(reverse("accounts:sign-in"), {"username": "ada", "password": "wrong"})
    assert answer.status_code == 422
    user.refresh_from_db()
    assert user.password.startswith("$2b$")


def test_a_password_longer_than_bcrypt_reads_still_fits() -> None:
    user = make_earlier_user(hashed=earlier_hash("long " * 20))
    assert user.check_password("long " * 20)


@pytest.mark.parametrize("hashed", ["", "$2b$", "$2b$99$" + "x" * 53, "bcrypt$nonsense", "plain", "$1$md5"])
def test_a_damaged_hash_fits_no_password_and_breaks_nothing(client: Client, hashed: str) -> None:
    make_earlier_user(hashed=hashed)
    answer = client.post(reverse("accounts:sign-in"), {"username": "ada", "password": WORDS})
    assert answer.status_code == 422


def test_the_admin_shows_a_person_with_an_earlier_hash(client: Client) -> None:
    user = make_earlier_user(hashed="bcrypt$" + earlier_hash(WORDS))
    client.force_login(make_owner(username="owner", password=None))
    page = client.get(reverse("admin:accounts_user_change", args=[user.pk]))
    assert page.status_code == 200
    assert user.password[7:] not in page.content.decode()


def test_pbkdf2_is_replaced_too() -> None:
    user = make_user()
    user.password = make_password(WORDS, hasher="pbkdf2_sha256")
    user.save()
    assert user.check_password(WORDS)
    assert user.password.startswith("argon2$")
