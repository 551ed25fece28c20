"""The words beside the fields as an API: for putting a style together, and for building lyrics."""

import copy
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.settings import api_settings
from rest_framework.viewsets import ModelViewSet

from accounts.rest import OwnersWrite, TextField, documented
from prompts.filters import SectionKindFilter, SongStructureFilter, StyleTermFilter
from prompts.models import SectionKind, SongStructure, StyleTerm
from prompts.vocabulary import SECTIONS_LIMIT

POSITION: dict[str, Any] = {"min_value": 0, "max_value": 10_000}


class WordField(TextField):
    """A word or a few, without the spaces around them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_blank=False, trim_whitespace=True, **kwargs)


class VocabularySerializer(serializers.ModelSerializer[Any]):
    """A row that the owner edits. What may stand in it, and stand in it twice, is for the model to say."""

    class Meta:
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return what was sent as the row would have it."""
        row = copy.copy(self.instance) if self.instance else self.Meta.model()
        for name, value in attrs.items():
            setattr(row, name, value)
        try:
            row.full_clean()
        except ValidationError as error:
            told = error.message_dict
            if NON_FIELD_ERRORS in told:
                told[api_settings.NON_FIELD_ERRORS_KEY] = told.pop(NON_FIELD_ERRORS)
            raise serializers.ValidationError(told) from error
        return {name: getattr(row, name) for name in attrs}


class StyleTermSerializer(VocabularySerializer):
    """A word that a style can be put together from."""

    word = WordField(max_length=60, help_text=_("As it is put into the style; no commas."))

    class Meta(VocabularySerializer.Meta):
        model = StyleTerm
        fields = ["id", "kind", "word", "position", "is_active"]
        extra_kwargs = {"position": POSITION}


class SectionKindSerializer(VocabularySerializer):
    """A kind of section that lyrics are built of."""

    label = WordField(max_length=40, help_text=_("As it stands in [brackets]."))  # type: ignore[assignment]  # the name is DRF's as well
    hint = TextField(required=False, max_length=200, help_text=_("What it is for."))

    class Meta(VocabularySerializer.Meta):
        model = SectionKind
        fields = ["id", "label", "hint", "position", "is_active"]
        extra_kwargs = {"position": POSITION}


class SectionsField(serializers.ListField):
    """Names of kinds of sections, which a structure keeps one a line."""

    child = WordField(max_length=40)

    def to_representation(self, data: Any) -> list[str]:
        """Return them one by one."""
        return SongStructure(sections=data).labels


class SongStructureSerializer(VocabularySerializer):
    """An order of sections to begin with."""

    name = WordField(max_length=60)
    sections = SectionsField(
        allow_empty=False,
        min_length=1,
        max_length=SECTIONS_LIMIT,
        help_text=_("Names of kinds of sections, in their order."),
    )

    class Meta(VocabularySerializer.Meta):
        model = SongStructure
        fields = ["id", "name", "sections", "position", "is_active"]
        extra_kwargs = {"position": POSITION}

    def validate_sections(self, sections: list[str]) -> str:
        """Return them as they are kept."""
        return "\n".join(sections)


class VocabularyViewSet(ModelViewSet[Any]):
    """Everybody reads, owners write, as in the admin."""

    permission_classes = [OwnersWrite]
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    filter_backends = [DjangoFilterBackend]
    lookup_value_converter = "int"

    def filter_queryset(self, queryset: Any) -> Any:
        """Filter the list only."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset


@documented("templates", one="a style word", many="style words", making="Add")
class StyleTermViewSet(VocabularyViewSet):
    """Words for styles: genres, moods, instruments, tempo and voice."""

    queryset = StyleTerm.objects.all()
    serializer_class = StyleTermSerializer
    filterset_class = StyleTermFilter


@documented("templates", one="a kind of section", many="kinds of sections", making="Add")
class SectionKindViewSet(VocabularyViewSet):
    """Kinds of sections, such as a verse."""

    queryset = SectionKind.objects.all()
    serializer_class = SectionKindSerializer
    filterset_class = SectionKindFilter


@documented("templates", one="a song structure", many="song structures", making="Add")
class SongStructureViewSet(VocabularyViewSet):
    """Orders of sections to begin with."""

    queryset = SongStructure.objects.all()
    serializer_class = SongStructureSerializer
    filterset_class = SongStructureFilter
