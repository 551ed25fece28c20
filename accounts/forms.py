"""The forms of the accounts pages."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.utils.translation import gettext_lazy as _

from accounts.models import AccessToken, User


class SignInForm(AuthenticationForm):
    """Name and password."""

    error_messages = {
        "invalid_login": _("This name and password do not match. Check capital letters."),
        "inactive": _("This account is switched off."),
    }


class OwnerForm(forms.Form):
    """The first account. What may stand in the fields is checked by `create_owner`, as for every other door."""

    username = forms.CharField(
        label=_("Name"), max_length=150, widget=forms.TextInput({"autocomplete": "username", "autofocus": True})
    )
    email = forms.EmailField(label=_("Email"), required=False, widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html,
    )
    repeated = forms.CharField(
        label=_("Password again"), strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        """Compare the two passwords."""
        data = super().clean() or {}
        if data.get("password") and data.get("repeated") and data["password"] != data["repeated"]:
            self.add_error("repeated", _("The two passwords are not the same."))
        return data


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    """How the studio calls a person, and where to write to."""

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email"]
        widgets = {
            "first_name": forms.TextInput({"autocomplete": "given-name"}),
            "last_name": forms.TextInput({"autocomplete": "family-name"}),
            "email": forms.EmailInput({"autocomplete": "email"}),
        }


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    """A new API token needs only a name."""

    class Meta:
        model = AccessToken
        fields = ["name"]
        labels = {"name": _("What is it for?")}
        widgets = {"name": forms.TextInput({"placeholder": _("Backup script"), "autocomplete": "off"})}
