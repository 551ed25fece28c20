"""Sign-in, sign-out, profile and password."""

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver

from accounts.tests.factories import PASSWORD, make_user


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["home", "accounts:profile", "accounts:password", "accounts:token-create"])
def test_a_stranger_is_sent_to_the_sign_in(client: Client, name: str) -> None:
    make_user()
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('accounts:sign-in')}?next={reverse(name)}"


def test_no_page_is_open_by_accident() -> None:
    # Known are the doors themselves, and what checks a token or a key by itself (the API's classes, the mock).
    known = (
        "accounts.views.",
        "django.contrib.admin.",
        "django.contrib.auth.",
        "mockapi.",
        "macai.health_api.",
        "macai.metrics.",
    )
    for view, name in open_views(get_resolver()):
        module = f"{view.__module__}."
        assert hasattr(view, "cls") or module.startswith(known), f"{name} ({module}) is open to everybody"


def open_views(resolver: URLResolver) -> list[tuple[object, str]]:
    found: list[tuple[object, str]] = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            found += open_views(entry)
        elif not getattr(entry.callback, "login_required", True):
            found.append((entry.callback, str(entry.pattern)))
    return found


@pytest.mark.django_db
def test_signing_in_leads_where_one_wanted_to_go(client: Client) -> None:
    make_user()
    data = {"username": "ada", "password": PASSWORD, "next": reverse("accounts:profile")}
    assert client.post(reverse("accounts:sign-in"), data)["Location"] == reverse("accounts:profile")


@pytest.mark.django_db
@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(client: Client, target: str) -> None:
    make_user()
    data = {"username": "ada", "password": PASSWORD, "next": target}
    assert client.post(reverse("accounts:sign-in"), data)["Location"] == reverse("home")


@pytest.mark.django_db
def test_a_wrong_password_is_answered_422_and_says_so(client: Client) -> None:
    make_user()
    response = client.post(reverse("accounts:sign-in"), {"username": "ada", "password": "wrong"})
    assert response.status_code == 422
    assert b"do not match" in response.content
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_signing_out_needs_a_post(client: Client) -> None:
    client.force_login(make_user())
    assert client.get(reverse("accounts:sign-out")).status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post(reverse("accounts:sign-out"))["Location"] == reverse("accounts:sign-in")
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_forms_are_refused_without_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())
    for name in ("accounts:sign-out", "accounts:profile", "accounts:password", "accounts:token-create"):
        response = client.post(reverse(name), {"name": "x"})
        assert response.status_code == 403, name
    assert b"Not allowed" in response.content


@pytest.mark.django_db
def test_the_profile_saves_name_and_address(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    data = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}
    response = client.post(reverse("accounts:profile"), data, follow=True)
    assert b"Saved." in response.content
    user.refresh_from_db()
    assert (user.first_name, user.last_name, user.email) == ("Ada", "Lovelace", "ada@example.com")


@pytest.mark.django_db
def test_a_bad_address_is_answered_422_at_its_field(client: Client) -> None:
    client.force_login(make_user())
    response = client.post(reverse("accounts:profile"), {"email": "nowhere", "first_name": "Mallory"})
    assert response.status_code == 422
    assert b'id="id_email_error"' in response.content
    assert b'aria-invalid="true"' in response.content


@pytest.mark.django_db
def test_a_new_password_keeps_this_session_and_ends_the_others(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    elsewhere = Client()
    elsewhere.force_login(user)
    new = {"old_password": PASSWORD, "new_password1": "battery staple 9", "new_password2": "battery staple 9"}
    assert client.post(reverse("accounts:password"), new)["Location"] == reverse("accounts:profile")
    assert client.get(reverse("accounts:profile")).status_code == 200
    assert elsewhere.get(reverse("accounts:profile")).status_code == 302
    user.refresh_from_db()
    assert user.check_password("battery staple 9")


@pytest.mark.django_db
def test_the_old_password_is_needed_for_a_new_one(client: Client) -> None:
    client.force_login(make_user())
    new = {"old_password": "wrong", "new_password1": "battery staple 9", "new_password2": "battery staple 9"}
    response = client.post(reverse("accounts:password"), new)
    assert response.status_code == 422
    assert b'id="id_old_password_error"' in response.content
