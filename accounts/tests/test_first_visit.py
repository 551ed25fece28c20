"""The first visit makes the owner, once."""

import threading
import time

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import User
from accounts.tests.factories import PASSWORD, make_user

FORM = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "repeated": PASSWORD}


@pytest.mark.django_db
def test_an_empty_studio_leads_every_visitor_to_the_first_visit(client: Client) -> None:
    response = client.get("/", follow=True)
    assert response.redirect_chain[-1][0] == reverse("accounts:first-visit")
    assert b"Create the owner" in response.content


@pytest.mark.django_db
def test_the_first_visitor_becomes_owner_and_is_signed_in(client: Client) -> None:
    response = client.post(reverse("accounts:first-visit"), FORM)
    assert response.status_code == 302
    assert response["Location"] == reverse("home")
    owner = User.objects.get()
    assert owner.is_superuser
    assert owner.is_staff
    assert owner.check_password(PASSWORD)
    assert client.session["_auth_user_id"] == str(owner.pk)
    assert b"Is everything ready?" in client.get("/").content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "no spaces!"}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"password": "12345678", "repeated": "12345678"}, "password"),
        ({"password": "ada@example.org", "repeated": "ada@example.org"}, "password"),
        ({"repeated": "something else"}, "repeated"),
    ],
)
def test_a_bad_first_form_is_answered_422_with_the_error_at_its_field(
    client: Client, change: dict[str, str], field: str
) -> None:
    response = client.post(reverse("accounts:first-visit"), FORM | change)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_nobody_can_visit_first_twice(client: Client) -> None:
    make_user()
    response = client.post(reverse("accounts:first-visit"), FORM | {"username": "eve"})
    assert response.status_code == 302
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_an_owner_is_refused_while_there_is_any_user() -> None:
    make_user(is_active=False)
    with pytest.raises(services.OwnerExistsError):
        services.create_owner(username="eve", password=PASSWORD)


@pytest.mark.django_db
def test_an_owner_needs_a_password() -> None:
    with pytest.raises(ValidationError) as caught:
        services.create_owner(username="ada", password="")
    assert list(caught.value.message_dict) == ["password"]


@pytest.mark.django_db
def test_who_loses_the_race_is_sent_to_the_sign_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_late(**_kwargs: str) -> User:
        make_user()
        raise services.OwnerExistsError

    monkeypatch.setattr(services, "create_owner", too_late)
    response = client.post(reverse("accounts:first-visit"), FORM, follow=True)
    assert response.redirect_chain[0][0] == reverse("accounts:sign-in")
    assert b"Somebody else was faster" in response.content


@pytest.mark.django_db(transaction=True)
def test_of_many_first_visitors_at_once_one_becomes_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    visitors = 4
    start = threading.Barrier(visitors)
    outcomes: list[str] = []
    look = services.studio_has_owner

    def look_and_dawdle() -> bool:  # without a lock, everybody has looked before anybody acts
        answer = look()
        time.sleep(0.05)
        return answer

    monkeypatch.setattr(services, "studio_has_owner", look_and_dawdle)

    def visit(number: int) -> None:
        start.wait()
        try:
            while True:
                try:
                    services.create_owner(username=f"visitor{number}", password=PASSWORD)
                    outcomes.append("owner")
                    break
                except OperationalError:  # SQLite in memory says "locked" instead of waiting
                    continue
                except services.OwnerExistsError:
                    outcomes.append("late")
                    break
        finally:
            connection.close()

    threads = [threading.Thread(target=visit, args=[number]) for number in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["late"] * (visitors - 1) + ["owner"]
    assert User.objects.filter(is_superuser=True).count() == 1
