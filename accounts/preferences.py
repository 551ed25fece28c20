"""What a person likes: the models to begin with, how long lists are, light or dark."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User

PREFERENCES = ("chat_model", "text_model", "song_model", "image_model", "items_per_page", "theme")


def change_preferences(user: User, values: dict[str, Any]) -> None:
    """Change some of them and leave the others. Raises ValidationError per field; then nothing is changed."""
    unknown = values.keys() - set(PREFERENCES)
    if unknown:
        raise ValidationError({name: _("There is no such setting.") for name in sorted(unknown)})
    changed = User(**values)
    changed.clean_fields(exclude={field.name for field in User._meta.fields} - values.keys())
    for name in values:
        setattr(user, name, getattr(changed, name))
    User.objects.filter(pk=user.pk).update(**{name: getattr(user, name) for name in values})


def preferred_model(request: HttpRequest, kind: str) -> str:
    """Return the model that the person begins with, "" for the studio's own; kind: chat, text, song or image."""
    return str(getattr(request.user, f"{kind}_model", ""))


def items_per_page(request: HttpRequest) -> int | None:
    """Return how many items the person wants on a page of a list; None leaves it to the list."""
    wanted: int | None = getattr(request.user, "items_per_page", None)
    return wanted
