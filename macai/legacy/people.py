"""The people of the earlier system, who keep their names and their passwords."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from accounts.hashers import EARLIER, adopted
from accounts.models import User
from macai.legacy.report import Count
from macai.legacy.source import Source
from macai.legacy.values import Row, moment, text, truth, whole

TABLES = ("users", "user", "accounts", "app_users")
# What a column may be called, the likeliest first.
GUESSES = {
    "username": ("username", "user_name", "name", "login", "email"),
    "password": ("password_hash", "password", "hashed_password", "pw_hash", "pwhash"),
    "email": ("email", "mail", "email_address"),
    "is_admin": ("is_admin", "admin", "is_superuser", "is_staff", "role"),
    "is_active": ("is_active", "active", "enabled"),
    "first_name": ("first_name", "firstname"),
    "last_name": ("last_name", "lastname"),
    "joined": ("created_at", "created", "date_joined", "registered_at"),
    "last_login": ("last_login", "last_login_at"),
}
ADMIN_ROLES = frozenset({"admin", "administrator", "owner", "superuser"})


class People:
    """Who came over, so that songs can say who asked for them."""

    def __init__(self) -> None:
        self.by_earlier_id: dict[Any, int] = {}


def table_of(source: Source, wanted: str) -> str:
    """Return the table of the people: the one that was named, or the first that looks like one; "" if there is none."""
    if wanted:
        return wanted if source.columns(wanted) else ""
    looks = (table for table in TABLES if not set(GUESSES["password"]).isdisjoint(source.columns(table)))
    return next(looks, "")


def columns_of(known: list[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return which column holds what: as it was said, or by its name."""
    guessed = {what: next((name for name in names if name in known), "") for what, names in GUESSES.items()}
    return guessed | dict(wanted)


def bring_people(source: Source, table: str, wanted: Mapping[str, str], count: Count, *, dry_run: bool) -> People:
    """Bring everybody over whose name is not taken. Whoever is here already keeps the password they have here."""
    people = People()
    columns = columns_of(source.columns(table), wanted) if table else {}
    for batch in source.batches(table, "id") if table else ():
        for row in batch:
            count.found += 1
            bring_person(row, columns, people, count, dry_run=dry_run)
    if not dry_run:
        make_somebody_owner(people, count)
        reset_numbers()
    return people


def bring_person(row: Row, columns: Mapping[str, str], people: People, count: Count, *, dry_run: bool) -> None:
    """Bring one person over."""
    username = User.normalize_username(text(row, columns["username"]).strip())
    here = User.objects.filter(username=username).first()
    if here is not None:
        people.by_earlier_id[row.get("id")] = here.pk
        count.there += 1
        return
    user = person_of(row, columns, username)
    try:
        user.clean_fields(exclude=["password", "email"])
    except ValidationError as error:
        count.leave(f"no name that we take ({' '.join(error.messages)})", repr(username))
        return
    if not user.has_usable_password():
        count.tell("came without a password that we can read; set a new one", username)
    if not dry_run:
        user.save(force_insert=True)
        people.by_earlier_id[row.get("id")] = user.pk
    count.brought += 1


def person_of(row: Row, columns: Mapping[str, str], username: str) -> User:
    """Return the person as we keep them, with the number they had if it is free."""
    hashed = adopted(text(row, columns["password"]).strip())
    is_admin = truth(row, columns["is_admin"]) or text(row, columns["is_admin"]).lower() in ADMIN_ROLES
    pk = whole(row, "id")
    return User(
        pk=pk if pk and pk > 0 and not User.objects.filter(pk=pk).exists() else None,
        username=username,
        password=hashed if EARLIER.fullmatch(hashed.partition("$")[2]) else make_password(None),
        email=text(row, columns["email"], 254),
        first_name=text(row, columns["first_name"], 150),
        last_name=text(row, columns["last_name"], 150),
        is_active=truth(row, columns["is_active"], default=True),
        is_staff=is_admin,
        is_superuser=is_admin,
        date_joined=moment(row, columns["joined"]) or timezone.now(),
        last_login=moment(row, columns["last_login"]),
    )


def make_somebody_owner(people: People, count: Count) -> None:
    """Without an owner nobody could manage the studio: then the first who came is it."""
    if User.objects.filter(is_superuser=True, is_active=True).exists():
        return
    with transaction.atomic():
        first = User.objects.filter(pk__in=people.by_earlier_id.values(), is_active=True).order_by("pk").first()
        if first is not None:
            first.is_staff = first.is_superuser = True
            first.save(update_fields=["is_staff", "is_superuser"])
            count.tell("was made the owner, as there was none", first.username)


def reset_numbers() -> None:
    """Let the database count on behind the numbers that came over."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [User]):
            cursor.execute(statement)
