"""The forms of the pages: they read what was typed; what is right is decided by the services."""

import json
import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from images import services
from images.models import PARTIALS, PROMPT_LIMIT, GeneratedImage, ImageModel, ImageRequest
from images.offers import about, button_words, each_costs, facts_of, label_of, options_of, retirement_of
from images.references import Reference, read_tokens
from prompts.fields import RunField

COPIED = (
    "prompt", "model", "count", "size", "quality", "background", "output_format", "output_compression", "moderation",
    "title", "tags",
)  # fmt: skip
PREFILLED = frozenset((*COPIED, "prompt_run", "title_run"))  # what an address may fill in
HINT = _("A lighthouse on a cliff at dusk, oil painting, warm light in the windows")


class ManyFiles(forms.ClearableFileInput):
    """A file chooser for several files."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """Any number of files."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[Any]]":
        """Return the files that were sent; what they are is decided by the services."""
        sent = data if isinstance(data, list | tuple) else [data]
        return [file for file in sent if file]


class OfferedField(forms.CharField):
    """One of what the chosen model offers. The services judge it, and take the model's first for an empty one."""

    widget = forms.Select

    def validate(self, value: Any) -> None:
        """Accept anything."""


class ImageForm(forms.Form):
    """What pictures are asked for with. The options are those of the chosen model."""

    prompt = forms.CharField(
        label=_("Prompt"),
        strip=False,
        widget=forms.Textarea(attrs={"class": "mono", "rows": 7, "placeholder": HINT, "spellcheck": "true"}),
        error_messages={"required": _("Describe the picture.")},
    )
    model = forms.ChoiceField(label=_("Model"), error_messages={"invalid_choice": _("There is no such model.")})
    size = OfferedField(label=_("Size"))
    quality = OfferedField(label=_("Quality"))
    count = forms.IntegerField(label=_("Pictures"), initial=1, widget=forms.Select)
    background = OfferedField(label=_("Background"))
    output_format = OfferedField(label=_("Format"))
    output_compression = forms.IntegerField(
        label=_("Compression"),
        required=False,
        widget=forms.NumberInput(attrs={"min": 0, "max": 100}),
        help_text=_("0 to 100, webp and jpeg only."),
    )
    moderation = forms.ChoiceField(label=_("Moderation"), choices=[("auto", _("Usual")), ("low", _("Less strict"))])
    title = forms.CharField(label=_("Title"), required=False)
    tags = forms.CharField(label=_("Tags"), required=False, help_text=_("Separated by commas."))
    shows_partial = forms.BooleanField(
        label=_("Show early versions"),
        required=False,
        help_text=_("For a single picture. The provider charges a little for them."),
    )
    files = FilesField(label=_("Reference pictures"), required=False)  # type: ignore[assignment]  # a form moves its fields away
    mask_file = forms.FileField(
        label=_("Mask"),
        required=False,
        help_text=_("A PNG of the same size as the first reference picture: what is transparent is painted anew."),
        widget=forms.FileInput(attrs={"accept": "image/png"}),
    )
    prompt_run = RunField()
    title_run = RunField()
    parent = forms.UUIDField(widget=forms.HiddenInput, required=False)
    key = forms.UUIDField(widget=forms.HiddenInput)

    use_required_attribute = False  # the server's sentences say more than the browser's

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        references: list[Reference] | None = None,
        mask: Reference | None = None,
        liked_model: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(data, files, **kwargs)
        self.liked_model = liked_model
        self.references = read_tokens(data.getlist("references")) if data is not None else references or []
        sent_mask = read_tokens(data.getlist("mask")[:1]) if data is not None else []
        self.mask = sent_mask[0] if sent_mask else mask
        self.same: services.Same | None = None  # what this very request has led to before
        self.models = {model.name: model for model in services.offered_models()}
        self.fields["key"].initial = uuid.uuid4
        self.offer()

    def offer(self) -> None:
        """Fill in what can be chosen with the model as it stands."""
        field: Any = self.fields["model"]
        field.choices = [(name, label_of(model)) for name, model in self.models.items()]
        default = services.offered_model("")
        is_liked = self.liked_model in self.models
        self.fields["model"].initial = self.liked_model if is_liked else default.name if default else None
        if self.initial.get("model") not in self.models:
            self.initial.pop("model", None)
        model = self.chosen_model
        for name, values in options_of(model).items():
            self.fields[name].widget.choices = [(value, value) for value in values]
            if self.initial.get(name) not in values:
                self.initial.pop(name, None)
        self.fields["prompt"].widget.attrs["data-limit"] = model.prompt_limit if model else PROMPT_LIMIT

    @property
    def chosen_model(self) -> ImageModel | None:
        """The chosen model, or the default one."""
        chosen = self.models.get(str(self["model"].value()))
        return chosen or services.offered_model("")

    def clean_prompt(self) -> str:
        """Return the prompt with the line ends that are counted: browsers send two characters for each."""
        return str(self.cleaned_data["prompt"]).replace("\r\n", "\n")

    def take_files(self) -> None:
        """Keep the pictures that were sent along, so that a form that comes back has them still."""
        for file in self.cleaned_data.get("files") or []:
            reference = self.take(file)
            self.references += [reference] if reference else []
        if self.cleaned_data.get("mask_file"):
            self.mask = self.take(self.cleaned_data["mask_file"], is_mask=True) or self.mask

    def take(self, file: "UploadedFile[Any]", *, is_mask: bool = False) -> Reference | None:
        """Keep one picture; None if it is none, which then stands below the field."""
        try:
            return Reference(services.take_reference(file, size=file.size or 0, is_mask=is_mask))
        except ValidationError as error:
            self.add_problems(error)
            return None

    def request(self, user: User, *, is_confirmed: bool) -> ImageRequest | None:
        """Ask for the pictures. None if something is wrong, or if they exist or are at work and nobody confirmed."""
        is_valid = self.is_valid()
        self.take_files()
        if not is_valid or self.errors:
            return None
        wish, key = self.wish(), self.cleaned_data["key"]
        try:
            with services.one_after_another():
                if not is_confirmed and not ImageRequest.objects.filter(pk=key).exists():
                    self.same = services.find_same(wish)
                return None if self.same else services.request_images(wish, user=user, key=key)
        except ValidationError as error:
            self.add_problems(error)
            return None

    def wish(self) -> services.Wish:
        """Return what is asked for, once the form is valid. What the model does not know is left out."""
        data = self.cleaned_data
        model = self.models[data["model"]]
        takes = model.can_edit
        return services.Wish(
            prompt=data["prompt"],
            model=model.name,
            count=data["count"],
            size=data["size"],
            quality=data["quality"],
            background=data["background"] if model.backgrounds else "",
            output_format=data["output_format"] if model.formats else "",
            output_compression=data["output_compression"] if data["output_format"] in {"webp", "jpeg"} else None,
            moderation=data["moderation"],
            title=data["title"],
            tags=data["tags"],
            references=[reference.name for reference in self.references] if takes else [],
            mask=self.mask.name if self.mask and takes else "",
            parent=GeneratedImage.objects.filter(pk=data["parent"]).first() if data["parent"] else None,
            shows_partial=data["shows_partial"],
            prompt_run=data["prompt_run"],
            title_run=data["title_run"],
        )

    def add_problems(self, error: ValidationError) -> None:
        """Put what a service found wrong below the fields it belongs to."""
        places = {"references": "files", "mask": "mask_file"}
        for name, messages in error.message_dict.items():
            place = places.get(name, name)
            self.add_error(place if place in self.fields else None, ValidationError(messages))

    @property
    def count_value(self) -> int:
        """How many pictures are chosen."""
        value = str(self["count"].value())
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 4 else 1

    @property
    def button(self) -> str:
        """What the button says: what is made, and what it costs with the options as they stand."""
        size, quality = str(self["size"].value() or ""), str(self["quality"].value() or "")
        model = self.chosen_model
        shows_early = bool(self["shows_partial"].value()) and model is not None and model.can_stream
        early_versions = PARTIALS if shows_early and self.count_value == 1 else 0
        each = each_costs(model, size, quality, early_versions) if model else None
        with_price, without = button_words(self.count_value)
        words = without if each is None else with_price.replace("{price}", about(each * self.count_value))
        return words.replace("{n}", str(self.count_value))

    @property
    def buttons_json(self) -> str:
        """The button's words for each number of pictures, for the script."""
        most = max((model.most_pictures for model in self.models.values()), default=1)
        return json.dumps({number: button_words(number) for number in range(1, most + 1)})

    @property
    def models_json(self) -> str:
        """What each model can do and costs, for the script that keeps the form right."""
        return json.dumps({name: facts_of(model) for name, model in self.models.items()})

    @property
    def retires(self) -> str:
        """What is to be known of the chosen model's end."""
        return retirement_of(self.chosen_model) if self.chosen_model else ""

    @property
    def has_hidden_choice(self) -> bool:
        """Whether something under "More options" has a problem or was chosen, so that they must stand open."""
        hidden = ("background", "output_format", "output_compression", "moderation", "title", "tags")
        return any(self.errors.get(name) for name in hidden) or bool(self["title"].value() or self["tags"].value())


def copy_of(request: ImageRequest) -> dict[str, Any]:
    """Return what a form is filled with to ask for the same again."""
    runs = {"prompt_run": request.prompt_run_id, "title_run": request.title_run_id}
    return {name: getattr(request, name) for name in COPIED} | runs


class EditForm(forms.Form):
    """What the owner notes on a picture."""

    title = forms.CharField(label=_("Title"), required=False)
    tags = forms.CharField(label=_("Tags"), required=False, help_text=_("Separated by commas."))
    title_run = RunField()

    def save(self, image: GeneratedImage) -> bool:
        """Write the notes; False if something is wrong, which then stands below the fields."""
        if not self.is_valid():
            return False
        try:
            services.edit_image(image, **self.cleaned_data)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                self.add_error(name, ValidationError(messages))
            return False
        return True
