"""The form of a person's settings."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.preferences import PREFERENCES
from macai import personal

STUDIOS_OWN = ("", _("The studio's own"))


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    """What a person likes. Models of Ollama are typed or picked from what it offers: it need not answer now."""

    song_model = forms.ChoiceField(label=_("Model for songs"), required=False)
    image_model = forms.ChoiceField(label=_("Model for pictures"), required=False)

    class Meta:
        model = User
        fields = PREFERENCES
        widgets = {
            "chat_model": forms.TextInput({"list": "ollama-models", "autocomplete": "off", "spellcheck": "false"}),
            "text_model": forms.TextInput({"list": "ollama-models", "autocomplete": "off", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("song_model", personal.song_models())
        self.offer("image_model", personal.image_models())

    def offer(self, name: str, models: list[str]) -> None:
        """Offer the models, and the one that was chosen even if it is gone."""
        chosen = getattr(self.instance, name)
        gone = [chosen] if chosen and chosen not in models else []
        field: Any = self.fields[name]
        field.choices = [STUDIOS_OWN, *((model, model) for model in [*models, *gone])]

    def save_for(self, user: User) -> bool:
        """Change what was changed; False if something is wrong, which then stands below the fields."""
        if not self.is_valid():
            return False
        try:
            personal.change_settings(user, {name: self.cleaned_data[name] for name in self.changed_data})
        except ValidationError as error:
            self.add_error(None, error)
            return False
        return True
