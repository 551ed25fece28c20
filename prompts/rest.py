"""What serializers of other apps need to name magic."""

from typing import Any

from rest_framework import serializers

from accounts.rest import IdField
from prompts.models import MagicRun


class RunField(serializers.PrimaryKeyRelatedField[MagicRun]):
    """A run of magic that a text came about by, by its id; none if it is left out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            queryset=MagicRun.objects.select_related("previous"),
            default=None,
            allow_null=True,
            pk_field=IdField(),
            style={"base_template": "input.html"},
            **kwargs,
        )
