"""Templates and runs in the console: edits make versions by the same verbs as everywhere, runs are to look at."""

from dataclasses import fields, replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from jobs.admin import LargeTableAdmin, ReadOnlyAdmin
from prompts import curation
from prompts.curation import Wording, check_new, check_wording, wording_of
from prompts.forms import EXAMPLE, preview_of
from prompts.models import MagicRun, PromptTemplate

SAYS = [field.name for field in fields(Wording)]
VERSIONS_SHOWN = 50


class TemplateAdminForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    """What a version says, checked as everywhere."""

    class Meta:
        model = PromptTemplate
        fields = [*SAYS, "active", "note"]

    def clean(self) -> dict[str, Any]:
        """Refuse what could not be used. The name of a template that exists is not in the form."""
        data = super().clean() or self.cleaned_data
        known = wording_of(self.instance) if self.instance.pk else Wording()
        said = {name: data[name] for name in SAYS if name in data}
        if "variables" in said:
            said["variables"] = tuple(said["variables"]) if isinstance(said["variables"], list) else (None,)
        try:
            self.said = replace(known, **said)
            (check_wording if self.instance.pk else check_new)(self.said)
        except ValidationError as error:
            for name, told in error.message_dict.items():
                self.add_error(name if name in self.fields else None, told)
        return data

    def _get_validation_exclusions(self) -> set[str]:
        """Leave "one in use" to the verbs: using a new version ends the use of the old one."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # not in the stubs
        return excluded | {"active"}


@admin.register(PromptTemplate)
class PromptTemplateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Templates. Saving the latest version makes the next one; earlier ones can be read and rolled back to."""

    form = TemplateAdminForm
    list_display = ["display_name", "category", "version", "active", "is_latest", "model", "created_by", "created_at"]
    list_filter = ["category", "active", "is_latest"]
    list_select_related = ["created_by"]
    search_fields = ["category", "action", "description", "pre_condition", "post_condition"]
    actions = ["use", "put_aside", "roll_back"]
    told = ("version", "is_latest", "created_by", "created_at", "asks", "versions")

    def get_fields(self, request: HttpRequest, obj: PromptTemplate | None = None) -> Any:
        """Show what it says, and of one that exists what it asks and its versions."""
        return [*SAYS, "active", "note", *(self.told if obj else ())]

    def get_readonly_fields(self, request: HttpRequest, obj: PromptTemplate | None = None) -> tuple[str, ...]:
        """Keep the name: category and action are what a template is known by."""
        return ("category", "action", *self.told) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: PromptTemplate | None = None) -> bool:
        """Only the latest version is edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_latest)

    def save_model(self, request: HttpRequest, obj: PromptTemplate, form: Any, change: bool) -> None:
        """Make the first version, or the next one. The page then goes on with that one."""
        data = form.cleaned_data
        options: dict[str, Any] = {"user": person(request), "active": data["active"], "note": data["note"]}
        if change:
            saved = curation.edit_template(PromptTemplate.objects.get(pk=obj.pk), form.said, **options)
        else:
            saved = curation.create_template(form.said, **options)
        for field in PromptTemplate._meta.concrete_fields:
            setattr(obj, field.attname, getattr(saved, field.attname))

    def delete_model(self, request: HttpRequest, obj: PromptTemplate) -> None:
        """Delete a template with all its versions."""
        curation.delete_template(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PromptTemplate]) -> None:
        """Delete templates with all their versions."""
        for template in queryset:
            curation.delete_template(template)

    @admin.action(description=_("Use the chosen versions"))
    def use(self, request: HttpRequest, queryset: QuerySet[PromptTemplate]) -> None:
        """Use versions, each in place of the one that was used."""
        for template in queryset:
            curation.set_active(template, active=True)
        self.tell(request, queryset.count())

    @admin.action(description=_("Put the chosen versions aside"))
    def put_aside(self, request: HttpRequest, queryset: QuerySet[PromptTemplate]) -> None:
        """Take versions out of use."""
        chosen = list(queryset)
        for template in chosen:
            curation.set_active(template, active=False)
        self.tell(request, len(chosen))

    @admin.action(description=_("Roll back to the chosen versions"))
    def roll_back(self, request: HttpRequest, queryset: QuerySet[PromptTemplate]) -> None:
        """Make new versions that equal the chosen ones."""
        count = 0
        for template in list(queryset):
            try:
                curation.roll_back(template, user=person(request))
                count += 1
            except ValidationError as error:
                self.message_user(request, f"{template}: {' '.join(error.messages)}", messages.WARNING)
        self.tell(request, count)

    def tell(self, request: HttpRequest, count: int) -> None:
        """Say how many it was done to."""
        said = ngettext("Done for %(count)d template.", "Done for %(count)d templates.", count) % {"count": count}
        self.message_user(request, said)

    @admin.display(description=_("What it asks"))
    def asks(self, template: PromptTemplate) -> SafeString:
        """Show the assembled prompt with an example."""
        try:
            return format_html("<pre>{}</pre>", preview_of(wording_of(template), str(EXAMPLE)))
        except ValidationError as error:
            return format_html("<p>{}</p>", " ".join(error.messages))

    @admin.display(description=_("Versions"))
    def versions(self, template: PromptTemplate) -> SafeString:
        """Lead to the other versions, and to what changed."""
        rows = PromptTemplate.objects.versions_of(template.category, template.action)[:VERSIONS_SHOWN]
        links = (
            (
                reverse("admin:prompts_prompttemplate_change", args=[row.pk]),
                gettext("Version %(version)s") % {"version": row.version},
                row.note,
                f"{reverse('prompts:compare', args=[template.pk])}?with={row.pk}",
                gettext("compare"),
            )
            for row in rows
        )
        return format_html_join("", '<div><a href="{}">{}</a> {} <a href="{}">{}</a></div>', links)


def person(request: HttpRequest) -> User | None:
    """Return who asks."""
    return request.user if isinstance(request.user, User) else None


RUN_FIELDS = (
    "category", "action", "version", "template_version", "state", "model", "seconds", "tokens", "finish_reason",
    "error_message", "variables", "input_text", "prompt", "output_text", "thinking", "is_trial", "previous", "user",
    "created_at", "saved_at",
)  # fmt: skip


@admin.register(MagicRun)
class MagicRunAdmin(ReadOnlyAdmin, LargeTableAdmin):
    """What was written with templates, to look at."""

    list_display = ["id", "category", "action", "version", "state", "model", "seconds", "tokens", "user", "created_at"]
    list_filter = ["category", "state", "is_trial", "created_at"]
    list_select_related = ["user"]
    search_fields = ["input_text", "output_text", "=model"]
    search_help_text = _("Words in the text or the answer, or the model.")
    fields = RUN_FIELDS
    readonly_fields = RUN_FIELDS
