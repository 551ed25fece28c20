"""The words that the owner offers beside the fields: for putting a style together, and for building lyrics."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SECTIONS_LIMIT = 40  # sections of one song


class StyleKind(models.TextChoices):
    """What a word says about a style, in the order in which a person thinks of it."""

    GENRE = "genre", gettext_lazy("Genre")
    MOOD = "mood", gettext_lazy("Mood")
    INSTRUMENT = "instrument", gettext_lazy("Instruments")
    TEMPO = "tempo", gettext_lazy("Tempo")
    VOICE = "voice", gettext_lazy("Voice")


class StyleTermQuerySet(models.QuerySet["StyleTerm"]):
    """Words for styles, in words."""

    def offered(self) -> Self:
        """Return the words on offer, in the owner's order."""
        return self.filter(is_active=True)

    def by_kind(self) -> "list[tuple[StyleKind, list[StyleTerm]]]":
        """Return the words on offer, kind by kind; a kind without words is left out."""
        terms = list(self.offered())
        grouped = [(kind, [term for term in terms if term.kind == kind]) for kind in StyleKind]
        return [(kind, found) for kind, found in grouped if found]


class StyleTerm(models.Model):
    """A word that a style can be put together from. What a model understands changes, so words are the owner's data."""

    kind = models.CharField(gettext_lazy("kind"), max_length=20, choices=StyleKind)
    word = models.CharField(gettext_lazy("word"), max_length=60, help_text=gettext_lazy("As it is put into the style."))
    position = models.PositiveIntegerField(gettext_lazy("position"), default=0)
    is_active = models.BooleanField(gettext_lazy("offered"), default=True)

    objects = StyleTermQuerySet.as_manager()

    class Meta:
        db_table = "style_terms"
        ordering = ["kind", "position", "word"]
        verbose_name = gettext_lazy("style word")
        verbose_name_plural = gettext_lazy("style words")
        constraints = [models.UniqueConstraint(fields=["kind", "word"], name="style_term_once")]

    def __str__(self) -> str:
        return self.word

    def clean(self) -> None:
        """Refuse a comma: it separates one word from the next. Raises ValidationError."""
        self.word = " ".join(self.word.split())
        if "," in self.word:
            raise ValidationError({"word": _("Commas separate the words of a style. Make it two words.")})


class SectionKindQuerySet(models.QuerySet["SectionKind"]):
    """Kinds of sections, in words."""

    def offered(self) -> Self:
        """Return the kinds on offer, in the owner's order."""
        return self.filter(is_active=True)


class SectionKind(models.Model):
    """A kind of section that lyrics are built of, such as a verse."""

    label = models.CharField(
        gettext_lazy("name"), max_length=40, unique=True, help_text=gettext_lazy("As it stands in [brackets].")
    )
    hint = models.CharField(gettext_lazy("what it is for"), max_length=200, blank=True)
    position = models.PositiveIntegerField(gettext_lazy("position"), default=0)
    is_active = models.BooleanField(gettext_lazy("offered"), default=True)

    objects = SectionKindQuerySet.as_manager()

    class Meta:
        db_table = "section_kinds"
        ordering = ["position", "label"]
        verbose_name = gettext_lazy("kind of section")
        verbose_name_plural = gettext_lazy("kinds of sections")

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Refuse brackets and line breaks, which would break the marks in the lyrics. Raises ValidationError."""
        self.label = " ".join(self.label.split())
        if set(self.label) & set("[]"):
            raise ValidationError({"label": _("The brackets are added in the lyrics.")})


class SongStructureQuerySet(models.QuerySet["SongStructure"]):
    """Structures, in words."""

    def offered(self) -> Self:
        """Return the structures on offer, in the owner's order."""
        return self.filter(is_active=True)


class SongStructure(models.Model):
    """An order of sections to begin with."""

    name = models.CharField(gettext_lazy("name"), max_length=60, unique=True)
    sections = models.TextField(
        gettext_lazy("sections"), help_text=gettext_lazy("One a line, by the names of the kinds of sections.")
    )
    position = models.PositiveIntegerField(gettext_lazy("position"), default=0)
    is_active = models.BooleanField(gettext_lazy("offered"), default=True)

    objects = SongStructureQuerySet.as_manager()

    class Meta:
        db_table = "song_structures"
        ordering = ["position", "name"]
        verbose_name = gettext_lazy("song structure")
        verbose_name_plural = gettext_lazy("song structures")

    def __str__(self) -> str:
        return self.name

    @property
    def labels(self) -> list[str]:
        """Return the names of the sections, in order."""
        return [line.strip() for line in self.sections.splitlines() if line.strip()]

    def clean(self) -> None:
        """Refuse sections that nobody knows. Raises ValidationError."""
        known = set(SectionKind.objects.values_list("label", flat=True))
        unknown = [label for label in self.labels if label not in known]
        if unknown:
            raise ValidationError({"sections": _("There is no kind of section “%(name)s”.") % {"name": unknown[0]}})
        if len(self.labels) > SECTIONS_LIMIT:
            raise ValidationError({"sections": _("At most %(limit)d sections.") % {"limit": SECTIONS_LIMIT}})
