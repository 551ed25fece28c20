"""What a person may ask for: the verbs behind the pages, the API and the admin."""

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from images.models import PARTIALS, PROMPT_LIMIT, REFERENCES_LIMIT, GeneratedImage, ImageModel, ImageRequest, hash_of
from jobs import services as job_services
from jobs import tasks as job_tasks
from jobs.services import JobError
from library import pictures, storage
from library.pictures import NotAPictureError
from library.texts import check_text
from prompts.models import MagicRun
from prompts.origins import columns_after_edit, origin_of

TITLE_LIMIT = 255
TAGS_LIMIT = 2000
UPLOAD_LIMIT = 50 * 1024 * 1024  # bytes
MASK_LIMIT = 4 * 1024 * 1024  # bytes
ZIP_LIMIT = 500  # pictures
MODERATIONS = ("auto", "low")
UPLOAD_NAME = re.compile(r"uploads/[0-9a-f]{2}/[0-9a-f]{32}\.(png|jpeg|webp)")  # as library.storage gives them


@dataclass(frozen=True)
class Wish:
    """What is asked for, as it came from a form or a client. What is "" is left to the model's default."""

    prompt: str
    model: str = ""
    count: int = 1
    size: str = ""
    quality: str = ""
    background: str = ""
    output_format: str = ""
    output_compression: int | None = None
    moderation: str = "auto"
    title: str = ""
    tags: str = ""
    references: Sequence[str] = ()  # names from `take_reference`, or primary keys of pictures
    mask: str = ""  # the same
    parent: GeneratedImage | None = None
    prompt_written: str = ""
    prompt_magic: str = ""
    prompt_run: MagicRun | None = None  # the magic that the prompt came about by; it knows the two above
    title_run: MagicRun | None = None  # the magic that the title came about by
    shows_partial: bool = False


def request_images(wish: Wish, *, user: User | None, key: uuid.UUID | None = None) -> ImageRequest:
    """Ask for pictures. The row exists when this returns; a worker sends the paid request.

    `key` names this one wish: the same key again returns the request that exists, so nothing is paid for twice.

    Raises:
        ValidationError: a message per field.
    """
    values = checked(wish)
    with transaction.atomic():
        request, created = ImageRequest.objects.get_or_create(
            pk=key or uuid.uuid4(), defaults={**values, "requested_by": user}
        )
        if created:
            request.tell(_("Asked for."))
            job_tasks.nudge()
    return request


def checked(wish: Wish) -> dict[str, Any]:
    """Return the columns of a wish that can be fulfilled.

    Raises:
        ValidationError: a message per field.
    """
    problems: dict[str, str] = {}
    model = offered_model(wish.model)
    if model is None:
        raise ValidationError({"model": _("There is no such model.")})
    check_text(problems, "prompt", wish.prompt, model.prompt_limit, missing=_("Describe the picture."))
    check_text(problems, "title", wish.title, TITLE_LIMIT)
    check_text(problems, "tags", wish.tags, TAGS_LIMIT)
    check_text(problems, "prompt_written", wish.prompt_written, PROMPT_LIMIT)
    check_text(problems, "prompt_magic", wish.prompt_magic, PROMPT_LIMIT)
    references = find_references(problems, "references", wish.references)
    mask = find_references(problems, "mask", [wish.mask] if wish.mask else [])
    chosen = {
        "size": choose(problems, "size", wish.size, model.sizes),
        "quality": choose(problems, "quality", wish.quality, model.qualities),
        "background": choose(problems, "background", wish.background, model.backgrounds),
        "output_format": choose(problems, "output_format", wish.output_format, model.formats or ["png"]),
    }
    check_numbers(problems, wish, model)
    if chosen["background"] == "transparent" and chosen["output_format"] == "jpeg":
        problems["output_format"] = _("A transparent background needs png or webp.")
    if wish.references and not model.can_edit:
        problems["references"] = _("This model takes no reference pictures.")
    if wish.mask and not wish.references:
        problems["mask"] = _("A mask needs a reference picture.")
    if problems:
        raise ValidationError(dict(problems))
    shows_partial = wish.shows_partial and model.can_stream and wish.count == 1
    early_versions = PARTIALS if shows_partial else 0
    origin = origin_of(wish.prompt, wish.prompt_run)
    return {
        **chosen,
        "prompt": wish.prompt.strip(),
        "prompt_written": wish.prompt_written or (origin.written if origin.run else wish.prompt.strip()),
        "prompt_magic": wish.prompt_magic or origin.magic,
        "prompt_run": origin.run,
        "prompt_hash": hash_of(prompt=wish.prompt, model=model.name, **chosen),
        "model": model.name,
        "count": wish.count,
        "output_compression": wish.output_compression,
        "moderation": wish.moderation,
        "shows_partial": shows_partial,
        "references": references,
        "mask": mask[0] if mask else "",
        "parent": wish.parent,
        "title": wish.title,
        **origin_of(wish.title, wish.title_run).as_columns("title"),
        "tags": wish.tags,
        "cost": price_of(
            model, size=chosen["size"], quality=chosen["quality"], count=wish.count, early_versions=early_versions
        ),
    }


def check_numbers(problems: dict[str, str], wish: Wish, model: ImageModel) -> None:
    """Note which counts are out of bounds."""
    if not 1 <= wish.count <= model.most_pictures:
        problems["count"] = _("Choose 1 to %(limit)d.") % {"limit": model.most_pictures}
    if wish.output_compression is not None and not 0 <= wish.output_compression <= 100:
        problems["output_compression"] = _("Choose 0 to 100.")
    if wish.moderation not in MODERATIONS:
        problems["moderation"] = _("Choose one of: %(values)s.") % {"values": ", ".join(MODERATIONS)}
    if len(wish.references) > REFERENCES_LIMIT:
        problems["references"] = _("At most %(limit)d reference pictures.") % {"limit": REFERENCES_LIMIT}


def choose(problems: dict[str, str], name: str, value: str, offered: list[str]) -> str:
    """Return the value if it is offered, the first on offer if there is none, and note it if it is not."""
    if not value:
        return offered[0] if offered else "auto"
    if value not in offered and not (not offered and value == "auto"):
        problems[name] = _("Choose one of: %(values)s.") % {"values": ", ".join(offered) or "auto"}
    return value


def find_references(problems: dict[str, str], field: str, wanted: Sequence[str]) -> list[str]:
    """Return the names in storage of uploads and pictures, and note it if one is neither: no other file is ever sent.

    A picture is named by its primary key or by its name in storage.
    """
    found = []
    for reference in wanted[:REFERENCES_LIMIT]:
        if UPLOAD_NAME.fullmatch(reference):
            name = reference if default_storage.exists(reference) else None
        else:
            key = uuid_of(reference)
            named = {"pk": key} if key else {"filename": reference.rpartition("/")[2], "file_path": reference}
            name = GeneratedImage.objects.live().filter(**named).values_list("file_path", flat=True).first()
        if name is None:
            problems[field] = _("There is no such picture: %(id)s") % {"id": reference[:100]}
        else:
            found.append(name)
    return found


def uuid_of(text: str) -> uuid.UUID | None:
    """Return the text as a primary key; None if it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def offered_models() -> list[ImageModel]:
    """Return the models that are offered and live, in the owner's order. One whose lists are none is left out."""
    today = timezone.localdate()
    rows = ImageModel.objects.filter(is_active=True)
    return [model for model in rows if model.is_readable and not model.has_retired(today)]


def offered_model(name: str) -> ImageModel | None:
    """Return the model of that name if it is offered and lives; without a name, the default one."""
    offered = offered_models()
    if name:
        return next((model for model in offered if model.name == name), None)
    return next((model for model in offered if model.is_default), offered[0] if offered else None)


@dataclass(frozen=True)
class Same:
    """What the same request as a wish has led to before: a picture, or else a request that is at work."""

    image: GeneratedImage | None = None
    request: ImageRequest | None = None


def find_same(wish: Wish) -> Same | None:
    """Return what the same request has made before, or is about to make, so that nobody pays for it again unasked.

    Raises:
        ValidationError: a message per field.
    """
    if wish.references:
        return None
    prompt_hash = checked(wish)["prompt_hash"]
    made = GeneratedImage.objects.live().filter(prompt_hash=prompt_hash, request__references=[])
    image = made.order_by("-created_at").first()
    if image is not None:
        return Same(image=image)
    at_work = ImageRequest.objects.active().filter(prompt_hash=prompt_hash, references=[])
    request = at_work.order_by("-created_at").first()
    return None if request is None else Same(request=request)


@contextmanager
def one_after_another() -> Iterator[None]:
    """Let nobody else ask for pictures in between: what is looked for and not found is then certainly not there."""
    with transaction.atomic():
        list(ImageModel.objects.select_for_update().order_by("pk").values_list("pk"))
        yield


def take_reference(file: IO[bytes], *, size: int, is_mask: bool = False) -> str:
    """Check an uploaded picture and keep it for requests to work from. Return its name in storage.

    Raises:
        ValidationError: too large, or no picture.
    """
    limit = MASK_LIMIT if is_mask else UPLOAD_LIMIT
    field = "mask" if is_mask else "references"
    if size > limit:
        raise ValidationError({field: _("At most %(limit)d MB.") % {"limit": limit // 1024 // 1024}})
    try:
        found = pictures.inspect_mask(file) if is_mask else pictures.inspect(file)
        chunks = iter(lambda: file.read(65536), b"")
        stored = storage.store(chunks, folder="uploads", suffix=found.format, kind=found.format, max_bytes=limit)
    except (NotAPictureError, storage.StorageFullError, storage.DamagedFileError) as error:
        raise ValidationError({field: error.message}) from error
    return stored.name


def edit_image(
    image: GeneratedImage, *, title: str | None = None, tags: str | None = None, title_run: MagicRun | None = None
) -> None:
    """Change a picture's title or tags; None leaves a field as it is. `title_run` is the magic that the title came by.

    Raises:
        ValidationError: a message per field.
    """
    changes: dict[str, Any] = {name: value for name, value in (("title", title), ("tags", tags)) if value is not None}
    problems: dict[str, str] = {}
    for name, value in changes.items():
        check_text(problems, name, value, TITLE_LIMIT if name == "title" else TAGS_LIMIT)
    if title is not None or title_run is not None:
        changes |= columns_after_edit(image, "title", image.title if title is None else title, title_run)
    _apply([image], changes, problems)


def rate_images(images: Sequence[GeneratedImage], rating: int | None) -> None:
    """Give pictures a thumb up (1), a thumb down (0) or none.

    Raises:
        ValidationError: any other rating.
    """
    problems = {} if rating in {None, 0, 1} else {"rating": _("A rating is 1, 0 or empty.")}
    _apply(images, {"rating": rating}, problems)


def tag_images(images: Sequence[GeneratedImage], tag: str) -> None:
    """Add a tag to pictures that do not have it.

    Raises:
        ValidationError: no tag, or too long.
    """
    tag = tag.strip().strip(",")
    problems: dict[str, str] = {}
    check_text(problems, "tag", tag, TITLE_LIMIT, missing=_("Write a tag."))
    if problems:
        raise ValidationError(dict(problems))
    with transaction.atomic():
        for image in images:
            if tag.casefold() not in {known.casefold() for known in image.tag_list}:
                edit_image(image, tags=", ".join([*image.tag_list, tag]))


def _apply(images: Sequence[GeneratedImage], changes: dict[str, Any], problems: dict[str, str]) -> None:
    """Write only the named columns."""
    if problems:
        raise ValidationError(dict(problems))
    if changes:
        pks = [image.pk for image in images]
        GeneratedImage.objects.filter(pk__in=pks).update(**changes, updated_at=timezone.now())
        for image in images:
            for name, value in changes.items():
                setattr(image, name, value)


def delete_images(images: Iterable[GeneratedImage]) -> int:
    """Move pictures to the trash, where they stay for 30 days. Return how many."""
    return GeneratedImage.objects.filter(pk__in=[image.pk for image in images]).throw_away()


def restore_images(images: Iterable[GeneratedImage]) -> int:
    """Take pictures out of the trash. Return how many."""
    return GeneratedImage.objects.filter(pk__in=[image.pk for image in images]).take_back()


def cancel_request(request: ImageRequest) -> bool:
    """Cancel a request; see jobs.services.cancel_job. Raises JobError."""
    return job_services.cancel_job(request)


def price_again(request: ImageRequest) -> Decimal | None:
    """Return today's estimate for a request in US dollars; None if its model is not offered any more."""
    model = offered_model(request.model)
    if model is None:
        return None
    return price_of_request(model, request)


def price_of_request(model: ImageModel, request: ImageRequest) -> Decimal:
    """Return the estimate for a request with its model as it stands today."""
    return price_of(
        model,
        size=request.size,
        quality=request.quality,
        count=request.count,
        early_versions=request.early_versions,
    )


def price_of(model: ImageModel, *, size: str, quality: str, count: int, early_versions: int) -> Decimal:
    """Return the estimate for pictures in US dollars; nothing where the owner has given no figures."""
    return (model.estimate(size=size, quality=quality, early_versions=early_versions) or Decimal(0)) * count


def submit_request_again(request: ImageRequest) -> None:
    """Have a request submitted once more, at today's price. What it cost before stays in the books. Raises JobError."""
    cost = price_again(request)
    if cost is None:
        raise JobError(_("The model %(model)s is not offered any more.") % {"model": request.model})
    with transaction.atomic():
        job_services.submit_again(request)
        ImageRequest.objects.filter(pk=request.pk).update(cost=cost)
    request.cost = cost
