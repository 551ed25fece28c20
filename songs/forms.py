"""The forms of the pages: they read what was typed; what is right is decided by the services."""

import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from jobs.spending import format_price
from prompts.fields import RunField
from songs import curation, services
from songs.models import LYRICS_LIMIT, PROMPT_LIMIT, VARIANTS_LIMIT, Song, SongModel, Workflow

COPIED = ("lyrics", "prompt", "title", "tags", "model", "variants", "gender")
PREFILLED = frozenset((*COPIED, "lyrics_run", "prompt_run", "title_run"))  # what an address may fill in
LYRICS_HINT = _("[Verse]\nRain on the roof, the city slows\n\n[Chorus]\n…")
STYLE_HINT = _("indie folk, warm acoustic guitar, close harmonies")


def add_problems(form: forms.Form, error: ValidationError) -> None:
    """Put what a service found wrong below the fields it belongs to."""
    for name, messages in error.message_dict.items():
        form.add_error(name if name in form.fields else None, ValidationError(messages))


def text_area(placeholder: Any, rows: int, limit: int) -> forms.Textarea:
    """Make a field for what a person writes for a model: it grows and is counted (data-limit)."""
    attrs = {"class": "mono", "rows": rows, "placeholder": placeholder, "data-limit": limit, "spellcheck": "true"}
    return forms.Textarea(attrs=attrs)


class SongForm(forms.Form):
    """What a song or an instrumental is asked for with."""

    lyrics = forms.CharField(
        label=_("Lyrics"),
        widget=text_area(LYRICS_HINT, 12, LYRICS_LIMIT),
        strip=False,
        error_messages={"required": _("Write the lyrics, or make an instrumental.")},
    )
    prompt = forms.CharField(
        label=_("Style"),
        widget=text_area(STYLE_HINT, 3, PROMPT_LIMIT),
        error_messages={"required": _("Describe the style.")},
    )
    title = forms.CharField(label=_("Title"), required=False)
    tags = forms.CharField(label=_("Tags"), required=False, help_text=_("Separated by commas."))
    gender = forms.ChoiceField(
        label=_("Voice"),
        choices=[("", _("Any")), ("female", _("Female")), ("male", _("Male"))],
        required=False,
        widget=forms.RadioSelect,
    )
    variants = forms.TypedChoiceField(
        label=_("Variants"),
        choices=[(number, str(number)) for number in range(1, VARIANTS_LIMIT + 1)],
        coerce=int,
        initial=2,
        widget=forms.RadioSelect,
    )
    model = forms.ChoiceField(label=_("Model"))
    lyrics_run = RunField()
    prompt_run = RunField()
    title_run = RunField()
    key = forms.UUIDField(widget=forms.HiddenInput)

    use_required_attribute = False  # the server's sentences say more than the browser's

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, is_instrumental: bool, liked_model: str = "", **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.is_instrumental = is_instrumental
        if is_instrumental:
            del self.fields["lyrics"], self.fields["gender"], self.fields["lyrics_run"]
        self.prices = offered_prices(is_instrumental=is_instrumental)
        model: Any = self.fields["model"]
        model.choices = [(name, model_label(name, price)) for name, price in self.prices.items()]
        default = services.offered_model("")
        model.initial = liked_model if liked_model in self.prices else default.name if default else None
        self.fields["key"].initial = uuid.uuid4
        if self.initial.get("model") not in self.prices:
            self.initial.pop("model", None)

    def clean_lyrics(self) -> str:
        """Return the lyrics with the line ends that Mureka counts: browsers send two characters for each."""
        return str(self.cleaned_data["lyrics"]).replace("\r\n", "\n")

    def clean_prompt(self) -> str:
        """Return the style; see clean_lyrics."""
        return str(self.cleaned_data["prompt"]).replace("\r\n", "\n")

    def request(self, user: User) -> Song | None:
        """Ask for the song; None if something is wrong, which then stands below the fields."""
        if not self.is_valid():
            return None
        ask = services.request_instrumental if self.is_instrumental else services.request_song
        try:
            return ask(user=user, **self.cleaned_data)
        except ValidationError as error:
            add_problems(self, error)
            return None

    @property
    def prices_json(self) -> str:
        """The price of one variant by model, for the script that keeps the button's price right."""
        return json.dumps({name: str(price) for name, price in self.prices.items()})

    @property
    def button(self) -> str:
        """What the button says: what is made, and what it costs with the options as they stand."""
        variants = str(self["variants"].value())
        count = int(variants) if variants.isdecimal() else 2
        price = self.prices.get(str(self["model"].value()), Decimal(0)) * count
        return self.button_template(count).replace("{n}", str(count)).replace("{price}", format_price(price))

    def button_template(self, count: int) -> str:
        """Return the button's words for so many variants, with {n} and {price} still open."""
        if self.is_instrumental:
            return ngettext(
                "Create {n} instrumental, about ${price}", "Create {n} instrumentals, about ${price}", count
            )
        return ngettext("Create {n} song, about ${price}", "Create {n} songs, about ${price}", count)

    @property
    def button_templates(self) -> str:
        """The button's words for each number of variants, for the script."""
        return json.dumps({count: self.button_template(count) for count in range(1, VARIANTS_LIMIT + 1)})

    @property
    def has_hidden_problem(self) -> bool:
        """Whether a field under "More options" has a problem, so that they must stand open."""
        return bool(self.errors.get("tags"))


def offered_prices(*, is_instrumental: bool) -> dict[str, Decimal]:
    """Return the price of one variant in US dollars by model, in the owner's order."""
    models = SongModel.objects.filter(is_active=True)
    prices = ((model.name, model.price(is_instrumental=is_instrumental)) for model in models)
    return {name: price for name, price in prices if price is not None}


def model_label(name: str, price: Decimal) -> str:
    """Return how a model stands in the list."""
    return gettext("%(name)s, $%(price)s each") % {"name": name, "price": format_price(price)}


def copy_of(song: Song) -> dict[str, Any]:
    """Return what a form is filled with to make a song like this one."""
    runs = {"lyrics_run": song.lyrics_run_id, "prompt_run": song.prompt_run_id, "title_run": song.title_run_id}
    return {name: getattr(song, name) for name in COPIED} | runs


class EditForm(forms.Form):
    """What the owner notes on a song."""

    title = forms.CharField(label=_("Title"), required=False)
    tags = forms.CharField(label=_("Tags"), required=False, help_text=_("Separated by commas."))
    workflow = forms.ChoiceField(
        label=_("Workflow"), choices=Workflow.choices, help_text=_("A song on work or in use cannot be deleted.")
    )
    title_run = RunField()

    def save(self, song: Song) -> bool:
        """Write the notes; False if something is wrong, which then stands below the fields. Raises JobError."""
        if not self.is_valid():
            return False
        try:
            curation.edit_song(song, **self.cleaned_data)
        except ValidationError as error:
            add_problems(self, error)
            return False
        return True
