"""Form fields that remember magic."""

from typing import Any

from django import forms

from prompts.models import MagicRun
from prompts.origins import run_named


class RunField(forms.Field):
    """The run of magic that the text of another field came about by; None if there was none, or is none any more.

    The script fills it in (static/js/magic.js); a draft keeps it, which it does of no other hidden field.
    """

    widget = forms.HiddenInput(attrs={"data-kept": "yes"})

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> MagicRun | None:
        """Return the run that was named."""
        return run_named(str(value)) if value else None
