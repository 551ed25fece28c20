"""A person's settings changed, for the page and the API alike: models of songs and pictures must be offered."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.preferences import change_preferences
from images.services import offered_models
from songs.models import SongModel


def change_settings(user: User, values: dict[str, Any]) -> None:
    """Change some settings and leave the others. Raises ValidationError per field; then nothing is changed."""
    offered = {"song_model": song_models, "image_model": image_models}
    for name, names in offered.items():
        if values.get(name) and values[name] not in names():
            raise ValidationError({name: _("There is no such model.")})
    change_preferences(user, values)


def song_models() -> list[str]:
    """Return the names of the models that make songs, in the owner's order."""
    return list(SongModel.objects.filter(is_active=True).values_list("name", flat=True))


def image_models() -> list[str]:
    """Return the names of the models that make pictures, in the owner's order."""
    return [model.name for model in offered_models()]
