"""What a person may ask a provider for: the verbs behind the pages, the API and the admin. The others: curation.py."""

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from jobs import services as job_services
from jobs import tasks as job_tasks
from jobs.cards import usual_of
from jobs.models import Status
from jobs.services import JobError
from jobs.spending import format_price
from library.texts import check_text
from prompts.models import MagicRun
from prompts.origins import origin_of
from songs.curation import check_notes, hold_live
from songs.models import (
    LINKS_LIVE,
    LYRICS_LIMIT,
    PROMPT_LIMIT,
    VARIANTS_LIMIT,
    FileState,
    Song,
    SongChoice,
    SongFile,
    SongModel,
    StemSeparation,
)

GENDERS = ("", "female", "male")


def request_song(
    *,
    user: User | None,
    lyrics: str,
    prompt: str,
    title: str = "",
    tags: str = "",
    model: str = "",
    variants: int = 2,
    gender: str = "",
    lyrics_run: MagicRun | None = None,
    prompt_run: MagicRun | None = None,
    title_run: MagicRun | None = None,
    key: uuid.UUID | None = None,
) -> Song:
    """Ask for a song. The row exists when this returns; a worker submits it.

    `key` names this one wish: the same key again returns the song that exists, so a form sent twice is paid for once.
    `lyrics_run`, `prompt_run` and `title_run` are the magic that the words came about by; see prompts.origins.

    Raises:
        ValidationError: a message per field.
    """
    problems = check_notes(title=title, tags=tags)
    check_text(problems, "lyrics", lyrics, LYRICS_LIMIT, _("Write the lyrics, or make an instrumental."))
    if gender not in GENDERS:
        problems["gender"] = _("Choose female, male or neither.")
    return _request(
        problems, user=user, key=key, lyrics=lyrics, prompt=prompt, title=title, tags=tags, model=model,
        variants=variants, gender=gender, is_instrumental=False, prompt_run=prompt_run, title_run=title_run,
        **origin_of(lyrics, lyrics_run).as_columns("lyrics"),
    )  # fmt: skip


def request_instrumental(
    *,
    user: User | None,
    prompt: str,
    title: str = "",
    tags: str = "",
    model: str = "",
    variants: int = 2,
    prompt_run: MagicRun | None = None,
    title_run: MagicRun | None = None,
    key: uuid.UUID | None = None,
) -> Song:
    """Ask for an instrumental; see request_song.

    Raises:
        ValidationError: a message per field.
    """
    problems = check_notes(title=title, tags=tags)
    return _request(
        problems, user=user, key=key, lyrics="", prompt=prompt, title=title, tags=tags, model=model,
        variants=variants, gender="", is_instrumental=True, prompt_run=prompt_run, title_run=title_run,
    )  # fmt: skip


def _request(
    problems: dict[str, str],
    *,
    key: uuid.UUID | None,
    model: str,
    variants: int,
    user: User | None,
    prompt_run: MagicRun | None,
    title_run: MagicRun | None,
    **fields: Any,
) -> Song:
    check_text(problems, "prompt", fields["prompt"], PROMPT_LIMIT, _("Describe the style."))
    if not 1 <= variants <= VARIANTS_LIMIT:
        problems["variants"] = _("Choose 1 to %(limit)d.") % {"limit": VARIANTS_LIMIT}
    chosen = offered_model(model)
    price = chosen.price(is_instrumental=fields["is_instrumental"]) if chosen else None
    if chosen is None:
        problems["model"] = _("There is no such model.")
    elif price is None:
        problems["model"] = _("This model does not make that.")
    if problems or chosen is None or price is None:
        raise ValidationError(dict(problems))
    values = {
        **fields,
        **origin_of(fields["prompt"], prompt_run).as_columns("prompt"),
        **origin_of(fields["title"], title_run).as_columns("title"),
        "requested_by": user,
        "model": chosen.name,
        "variants": variants,
        "cost": price * variants,
    }
    with transaction.atomic():
        song, created = Song.objects.get_or_create(pk=key or uuid.uuid4(), defaults=values)
        if created:
            song.tell(_("Asked for."))
            job_tasks.nudge()
    return song


def offered_model(name: str) -> SongModel | None:
    """Return the model of that name if it is offered; without a name, the default one."""
    offered = SongModel.objects.filter(is_active=True)
    return offered.filter(name=name).first() if name else offered.order_by("-is_default", "position").first()


def cancel_song(song: Song) -> bool:
    """Cancel a song; see jobs.services.cancel_job. Raises JobError."""
    return job_services.cancel_job(song)


def submit_song_again(song: Song) -> None:
    """Have a song submitted once more, at today's price. What it cost before stays in the books. Raises JobError."""
    model = offered_model(song.model)
    price = model.price(is_instrumental=song.is_instrumental) if model else None
    if price is None:
        raise JobError(_("The model %(model)s is not offered any more.") % {"model": song.model})
    with transaction.atomic():
        hold_live(song.pk)
        job_services.submit_again(song)
        Song.objects.filter(pk=song.pk).update(cost=price * song.variants)
    song.cost = price * song.variants


def ask_about_song(song: Song, *, job_id: str = "") -> Song:
    """Have Mureka asked about a song now, or missing files fetched. Return the one that is asked about.

    With the job id of an earlier submission that is another song than this; see jobs.services.ask_again. Raises
    JobError.
    """
    with transaction.atomic():
        hold_live(song.pk)
        missing = SongFile.objects.filter(choice__song=song, state=FileState.MISSING)
        if song.status == Status.SUCCESS and missing.exists() and job_id.strip() in {"", song.job_id}:
            missing.update(next_try_at=timezone.now(), updated_at=timezone.now())
            job_tasks.send_home(Song._meta.label_lower, str(song.pk))
            return song
        asked: Song = job_services.ask_again(song, job_id=job_id)  # type: ignore[assignment]  # of the same kind
        return asked


def request_stems(choice: SongChoice, *, user: User | None, model: str = "") -> StemSeparation:
    """Ask for the stems of a choice. Asked for a second time, the stems that exist are returned: nothing is paid twice.

    Raises:
        ValidationError: no such model.
        JobError: the song lies in the trash; or an earlier separation ended without stems, and submitting it again
            is a decision of its own.
    """
    offered = SongModel.objects.filter(is_active=True, stems_price__isnull=False)
    chosen = (offered.filter(name=model) if model else offered.order_by("-is_default", "position")).first()
    if chosen is None or chosen.stems_price is None:
        raise ValidationError({"model": _("There is no such model.")})
    values = {"model": chosen.name, "cost": chosen.stems_price, "requested_by": user, **source_columns(choice)}
    with transaction.atomic():
        hold_live(choice.song_id)
        stems, created = StemSeparation.objects.get_or_create(choice=choice, defaults=values)
        if created:
            stems.tell(_("Asked for."))
            job_tasks.nudge()
    if not created and stems.status in {Status.FAILURE, Status.CANCELLED}:
        raise JobError(stems.error_message or _("The separation was cancelled. Submit it again."))
    return stems


def source_columns(choice: SongChoice) -> dict[str, Any]:
    """Return what is separated, as columns: Mureka's link, and our file for when it is dead."""
    mp3 = SongFile.objects.filter(choice=choice, kind="mp3").first()
    return {
        "source_url": choice.mp3_url,
        "source_name": mp3.name if mp3 else "",
        "source_expires_at": mp3.link_expires_at if mp3 else choice.created_at + LINKS_LIVE,
    }


def submit_stems_again(stems: StemSeparation) -> None:
    """Have a separation submitted once more, at today's price and of what is at home today. Raises JobError."""
    model = offered_model(stems.model)
    if model is None or model.stems_price is None:
        raise JobError(_("The model %(model)s is not offered any more.") % {"model": stems.model})
    fields = {"cost": model.stems_price, **source_columns(stems.choice)}
    with transaction.atomic():
        hold_live(stems.choice.song_id)
        job_services.submit_again(stems)
        StemSeparation.objects.filter(pk=stems.pk).update(**fields)
    for name, value in fields.items():
        setattr(stems, name, value)


def price_list() -> dict[str, dict[str, str]]:
    """Return the price of one variant in US dollars by model, for songs and instrumentals."""
    return {
        model.name: {
            kind: format_price(price)
            for kind, price in (("song", model.song_price), ("instrumental", model.instrumental_price))
            if price is not None
        }
        for model in SongModel.objects.filter(is_active=True, stems_price__isnull=True)
    }


def usual_seconds(*, is_instrumental: bool) -> tuple[int, int] | None:
    """Return how long songs like this usually take, in seconds (quarter to three quarters of the last hundred)."""
    rows = Song.objects.filter(status=Status.SUCCESS, is_instrumental=is_instrumental, submitted_at__isnull=False)
    return usual_of(rows.order_by("-created_at").values_list("submitted_at", "completed_at")[:100])
