"""The forms of the pages: they read what was typed; what is right is decided by the services."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from chat import services
from chat.models import TITLE_LIMIT, Conversation, Message, SystemPreset
from chat.services import Exchange


class TalkForm(forms.Form):
    """What is said, and to whom."""

    text = forms.CharField(
        label=_("Message"), strip=False, required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": _("Write a message"), "spellcheck": "true"}),
    )  # fmt: skip
    model = forms.CharField(label=_("Model"), required=False)

    def done(self, verb: Any, *args: Any, **values: Any) -> Exchange | None:
        """Do it, or note on the form why it is not done and return None."""
        if not self.is_valid():
            return None
        try:
            exchange: Exchange = verb(*args, **{**self.cleaned_data, **values})
        except ValidationError as error:
            self.note(error)
            return None
        return exchange

    def note(self, error: ValidationError) -> None:
        """Show what a service refused beside its field."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, problems in error.error_dict.items():
            self.add_error(name if name in self.fields else None, problems)


class ComposerForm(TalkForm):
    """The next message, or the first one."""

    preset = forms.ModelChoiceField(
        SystemPreset.objects.filter(is_active=True), label=_("Preset"), required=False, empty_label=_("No preset")
    )
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def begin(self, user: User) -> Exchange | None:
        """Begin a conversation, if all is well."""
        self.fields.pop("after")
        return self.done(services.begin, user=user)

    def send(self, conversation: Conversation) -> Exchange | None:
        """Send the next message, if all is well."""
        return self.done(services.send, conversation)


class AskAgainForm(TalkForm):
    """A question in other words."""

    def ask(self, question: Message) -> Exchange | None:
        """Ask, if all is well. The conversation's model answers."""
        self.fields.pop("model")
        return self.done(services.ask_again, question)


class TitleForm(forms.Form):
    """Another title."""

    title = forms.CharField(label=_("Title"), max_length=TITLE_LIMIT)
