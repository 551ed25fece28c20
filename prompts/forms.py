"""The forms of the templates' pages."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from prompts import filling
from prompts.curation import NAME_LIMIT, NOTE_LIMIT, TOKENS_LIMIT, Wording, check_wording
from prompts.exchange import FILE_LIMIT
from prompts.models import PromptTemplate
from prompts.variables import VARIABLES_LIMIT, Kind, variables_of

LONG = {"rows": 6, "class": "mono", "dir": "auto", "spellcheck": "false"}
EXAMPLE = gettext_lazy("A quiet lake in the morning")


class TemplateForm(forms.Form):
    """What a version says, but for its variables."""

    category = forms.CharField(
        label=gettext_lazy("Category"), max_length=NAME_LIMIT,
        help_text=gettext_lazy("Which fields offer it: images, songs (the style), lyrics, title; or your own word."),
        widget=forms.TextInput(attrs={"list": "categories", "autocapitalize": "none"}),
    )  # fmt: skip
    action = forms.CharField(
        label=gettext_lazy("Action"), max_length=NAME_LIMIT,
        help_text=gettext_lazy("What it does, such as enhance or from_lyrics. The menu shows it."),
        widget=forms.TextInput(attrs={"autocapitalize": "none"}),
    )  # fmt: skip
    description = forms.CharField(label=gettext_lazy("Description"), required=False)
    pre_condition = forms.CharField(
        label=gettext_lazy("Before the text"), required=False, strip=False, widget=forms.Textarea(attrs=LONG),
        help_text=gettext_lazy(
            "{mood} is a variable, {text} the text itself, {{ and }} are braces. A line whose variables are all empty "
            "is left out."
        ),
    )  # fmt: skip
    post_condition = forms.CharField(
        label=gettext_lazy("After the text"), required=False, strip=False, widget=forms.Textarea(LONG | {"rows": 3}),
        help_text=gettext_lazy("A small model heeds most what stands last: say here what to answer with."),
    )  # fmt: skip
    is_text_needed = forms.BooleanField(
        label=gettext_lazy("Works on a text"), required=False, initial=True,
        help_text=gettext_lazy("Off: it can be used on an empty field as well."),
    )  # fmt: skip
    model = forms.CharField(
        label=gettext_lazy("Model"), required=False, help_text=gettext_lazy("Empty: the one that each person likes."),
        widget=forms.TextInput(attrs={"autocapitalize": "none"}),
    )  # fmt: skip
    temperature = forms.FloatField(
        label=gettext_lazy("Temperature"), initial=0.7, help_text=gettext_lazy("0 is exact, 2 is wild."),
        widget=forms.NumberInput(attrs={"min": "0", "max": "2", "step": "0.1"}),
    )  # fmt: skip
    max_tokens = forms.IntegerField(
        label=gettext_lazy("Most tokens"), initial=2048,
        help_text=gettext_lazy("A token is about three quarters of a word. A model that thinks needs more."),
        widget=forms.NumberInput(attrs={"min": "1", "max": str(TOKENS_LIMIT)}),
    )  # fmt: skip
    note = forms.CharField(label=gettext_lazy("What changed"), required=False, max_length=NOTE_LIMIT)
    active = forms.BooleanField(
        label=gettext_lazy("Use it at once"), required=False, initial=True,
        help_text=gettext_lazy("Off: it waits; the version that is in use stays in use."),
    )  # fmt: skip

    def __init__(self, *args: Any, template: PromptTemplate | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if template is not None:
            for name in ("category", "action"):
                self.fields[name].disabled = True
                self.fields[name].initial = getattr(template, name)
                self.fields[name].help_text = ""

    def wording(self, variables: list[dict[str, Any]]) -> Wording | None:
        """Return what was written; None if something is wrong, and every field says what."""
        if not self.is_valid():
            return None
        values = {name: self.cleaned_data[name] for name in self.fields if name not in {"note", "active"}}
        for name in ("pre_condition", "post_condition"):
            values[name] = values[name].replace("\r\n", "\n")
        wording = Wording(**values, variables=tuple(variables))
        try:
            check_wording(wording)
        except ValidationError as error:
            self.tell(error)
            return None
        return wording

    def tell(self, error: ValidationError) -> None:
        """Put each message at its field; what belongs to none stands at the top."""
        told = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, messages in told.items():
            self.add_error(name if name in self.fields else None, messages)


class VariableForm(forms.Form):
    """One row of the table of variables; a row without a name is none."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False, widget=forms.TextInput(attrs={"class": "mono"}))
    label = forms.CharField(label=gettext_lazy("Label"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Kind.choices, required=False)
    choices = forms.CharField(
        label=gettext_lazy("Choices"), required=False,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("calm | wild")}),
    )  # fmt: skip
    default = forms.CharField(label=gettext_lazy("Default"), required=False)
    required = forms.BooleanField(label=gettext_lazy("Needed"), required=False)

    def as_variable(self) -> dict[str, Any] | None:
        """Return the row as a variable."""
        data = self.cleaned_data
        if not data.get("name", "").strip():
            return None
        choices = [choice.strip() for choice in data["choices"].split("|") if choice.strip()]
        return {
            "name": data["name"].strip().strip("{}"),
            "label": data["label"],
            "kind": data["kind"] or Kind.TEXT,
            "choices": choices,
            "default": data["default"],
            "required": data["required"],
        }


VariableFormSet = forms.formset_factory(
    VariableForm, extra=2, max_num=VARIABLES_LIMIT, absolute_max=VARIABLES_LIMIT, validate_max=True
)


def rows_of(formset: "BaseFormSet[VariableForm]") -> list[dict[str, Any]]:
    """Return the variables of a table that was sent."""
    if not formset.is_valid():
        return []
    return [variable for form in formset if (variable := form.as_variable()) is not None]


def initial_rows(template: PromptTemplate) -> list[dict[str, Any]]:
    """Return a version's variables as rows of the table."""
    return [variable | {"choices": " | ".join(variable["choices"])} for variable in template.variables]


def preview_of(wording: Wording, text: str) -> str:
    """Return the whole prompt as it would be sent, with the defaults; a needed one without is shown by its name.

    Raises:
        ValidationError: the text cannot be filled.
    """
    variables = variables_of(list(wording.variables))
    values = {variable.name: variable.default or (f"[{variable.name}]" * variable.required) for variable in variables}
    try:
        return filling.assemble(wording.pre_condition, text, wording.post_condition, values)
    except filling.TemplateTextError as error:
        raise ValidationError(str(error)) from error


class BenchForm(forms.Form):
    """Which two versions are to be compared, on which text."""

    first = forms.ModelChoiceField(PromptTemplate.objects.none(), label=gettext_lazy("One"), empty_label=None)
    second = forms.ModelChoiceField(PromptTemplate.objects.none(), label=gettext_lazy("The other"), empty_label=None)
    first_model = forms.CharField(label=gettext_lazy("Model of the one"), required=False, max_length=100)
    second_model = forms.CharField(label=gettext_lazy("Model of the other"), required=False, max_length=100)
    text = forms.CharField(
        label=gettext_lazy("Text"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"})
    )

    def __init__(self, *args: Any, template: PromptTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first", "second"):
            field = self.fields[name]
            field.queryset = PromptTemplate.objects.versions_of(template.category, template.action)  # type: ignore[attr-defined]
            field.label_from_instance = version_label  # type: ignore[attr-defined]


def version_label(template: PromptTemplate) -> str:
    """Return a version as a list shows it."""
    use = f" · {_('in use')}" if template.active else ""
    note = f" · {template.note}" if template.note else ""
    return _("Version %(version)s") % {"version": template.version} + use + note


class ImportForm(forms.Form):
    """A file of templates."""

    file = forms.FileField(
        label=gettext_lazy("File"), widget=forms.FileInput(attrs={"accept": ".json,application/json"})
    )

    def clean_file(self) -> bytes:
        """Return what is in the file. Raises ValidationError if it is too large."""
        file = self.cleaned_data["file"]
        if file.size > FILE_LIMIT:
            raise ValidationError(_("The file is larger than 1 MB."))
        return bytes(file.read())
