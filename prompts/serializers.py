"""Templates and runs as JSON: what a client may send, and what it gets."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.rest import TextField
from prompts.curation import TOKENS_LIMIT
from prompts.models import MagicRun, PromptTemplate, RunState
from prompts.rest import RunField
from prompts.variables import Kind

# --- What a client gets ---------------------------------------------------------------------------------------------


class VariableSerializer(serializers.Serializer[Any]):
    """One variable of a template: it becomes a field, and stands in the text as {name}."""

    name = serializers.CharField(help_text=_("Small letters, digits and _."))
    label = TextField(default="")  # type: ignore[assignment]  # the name is DRF's as well
    kind = serializers.ChoiceField(choices=Kind.choices, default=Kind.TEXT)
    choices = serializers.ListField(child=TextField(), default=list)
    default = TextField(default="")
    required = serializers.BooleanField(default=False)  # type: ignore[assignment]


class TemplateSerializer(serializers.ModelSerializer[PromptTemplate]):
    """One version of a template."""

    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True, read_only=True)
    variables = VariableSerializer(many=True, read_only=True)

    class Meta:
        model = PromptTemplate
        fields = [
            "id", "category", "action", "version", "active", "is_latest", "pre_condition", "post_condition",
            "description", "model", "temperature", "max_tokens", "is_text_needed", "variables", "note", "created_by",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class MagicRunSerializer(serializers.ModelSerializer[MagicRun]):
    """One text: what went in, by which version of which template, if by any, and what came out. Times in seconds."""

    template = serializers.IntegerField(source="template_version_id", allow_null=True, read_only=True)
    state = serializers.ChoiceField(source="shown_state", choices=RunState.choices, read_only=True)
    error_message = serializers.CharField(source="shown_error", read_only=True)
    text = serializers.CharField(source="output_text", read_only=True)
    user = serializers.CharField(source="user.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = MagicRun
        fields = [
            "id", "template", "category", "action", "version", "variables", "input_text", "prompt", "text", "thinking",
            "model", "seconds", "tokens", "state", "finish_reason", "error_message", "is_trial", "previous", "user",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class FailedRunSerializer(serializers.Serializer[Any]):
    """Why a text was not written, and the run that keeps what came of it."""

    detail = serializers.CharField()
    run = MagicRunSerializer()


class AnswerSerializer(serializers.Serializer[Any]):
    """One text that Ollama wrote."""

    run = serializers.UUIDField(help_text=_("Where it is kept, among the runs of magic."))
    text = serializers.CharField()
    thinking = serializers.CharField(help_text=_("What a thinking model thought before."))
    model = serializers.CharField(source="finish.model")
    finish_reason = serializers.CharField(
        source="finish.reason", help_text=_("stop, length if it was cut off, or empty if somebody stopped it.")
    )
    prompt_tokens = serializers.IntegerField(source="finish.prompt_tokens", allow_null=True)
    tokens = serializers.IntegerField(source="finish.tokens", allow_null=True)
    tokens_per_second = serializers.FloatField(source="finish.tokens_per_second", allow_null=True)
    seconds = serializers.FloatField(source="finish.total_seconds", allow_null=True)


class OllamaModelSerializer(serializers.Serializer[Any]):
    """A model that Ollama has."""

    name = serializers.CharField()
    size_bytes = serializers.IntegerField()
    family = serializers.CharField()
    parameter_size = serializers.CharField()
    quantization = serializers.CharField()
    context_tokens = serializers.IntegerField(allow_null=True)
    capabilities = serializers.ListField(child=serializers.CharField())
    is_loaded = serializers.BooleanField(help_text=_("Whether it is in memory and answers at once."))


# --- What a client may send -----------------------------------------------------------------------------------------


class WordingSerializer(serializers.Serializer[Any]):
    """What a version of a template says. Left out of an edit, a value stays as it is."""

    category = TextField(help_text=_("The fields that offer it: images, songs, lyrics, title, or one of your own."))
    action = TextField(help_text=_("What it does, such as enhance."))
    pre_condition = TextField(default="", style={"base_template": "textarea.html"}, help_text=_("Before the text."))
    post_condition = TextField(default="", style={"base_template": "textarea.html"}, help_text=_("After the text."))
    description = TextField(default="")
    model = TextField(default="", help_text=_("A model of Ollama; empty for the studio's default."))
    temperature = serializers.FloatField(default=0.7, help_text=_("0.0 to 2.0."))
    max_tokens = serializers.IntegerField(default=2048, help_text=_("1 to %(limit)d.") % {"limit": TOKENS_LIMIT})
    is_text_needed = serializers.BooleanField(default=True)
    variables = serializers.ListField(
        child=serializers.DictField(),
        default=list,
        help_text=_(
            "Objects with name, label, kind (text, long_text, choice, number, yes_no), choices, default, required."
        ),
    )
    active = serializers.BooleanField(required=False, help_text=_("Whether it is used. Left out: as before."))
    note = TextField(default="", help_text=_("What changed."))


class MagicWishSerializer(serializers.Serializer[Any]):
    """What a text is asked for with."""

    category = TextField()
    action = TextField()
    text = TextField(default="", style={"base_template": "textarea.html"})
    variables = serializers.DictField(default=dict, help_text=_("Values by the names of the template's variables."))
    model = TextField(default="", help_text=_("In place of the template's model."))
    previous = RunField(help_text=_("The run that this one is written again after."))


class OptionsSerializer(serializers.Serializer[Any]):
    """How a text is to be written. What is left out is the model's own default."""

    temperature = serializers.FloatField(default=None, allow_null=True, min_value=0, max_value=2)
    max_tokens = serializers.IntegerField(default=None, allow_null=True, min_value=1, max_value=TOKENS_LIMIT)
    context_tokens = serializers.IntegerField(default=None, allow_null=True, min_value=1, max_value=2_000_000)
    seed = serializers.IntegerField(default=None, allow_null=True, min_value=0, max_value=2**31 - 1)
    stop = serializers.ListField(child=TextField(max_length=200), default=list, max_length=10)


class GenerateSerializer(serializers.Serializer[Any]):
    """What one text is asked for with, without a template."""

    prompt = TextField(style={"base_template": "textarea.html"})
    model = TextField(default="", help_text=_("A model of Ollama; empty for the studio's default."))
    pre_condition = TextField(default="", help_text=_("Put before the prompt."))
    post_condition = TextField(default="", help_text=_("Put after the prompt."))
    options = OptionsSerializer(required=False)
