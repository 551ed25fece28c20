"""What a worker does for pictures: one paid, synchronous call; its answer is stored before any row speaks of it."""

import io
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from images import keeping
from images.figures import PRICE_LIMIT
from images.holding import THUMBS, PictureHolder
from images.models import PER_MILLION, GeneratedImage, ImageModel, ImageRequest
from jobs import kinds
from jobs.kinds import Ended, Finished, Kind
from jobs.models import Charge, Phase, storable
from library import pictures, storage
from library.holdings import Held
from library.pictures import NotAPictureError
from providers import openai
from providers.errors import DownloadError, ProviderError, Verdict

logger = logging.getLogger(__name__)

OPENAI = "openai"
PREVIEW_SECONDS = 600
ROOM_WANTED = 256 * 1024 * 1024  # bytes; a picture that is paid for must find a place
STORING = timedelta(seconds=60)  # beyond the longest call, for what it brought to be fetched and stored
LOST_SLOT = timedelta(seconds=120)  # for which OpenAI may still be working on a request whose answer is lost
SPARE = 20.0  # seconds of a call's time that are left for what comes after the storing
SMALL_AGAIN = timedelta(hours=1)  # for which a picture without its small versions has them made again
SMALL_AT_ONCE = 5
STATED = (
    NotAPictureError,
    DownloadError,
    storage.StorageAwayError,
    storage.StorageFullError,
    storage.DamagedFileError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: the pictures that are home, and what was counted."""

    kept: tuple[keeping.Kept, ...]
    said: openai.ImageAnswer
    seconds: float


class ImageKind(Kind[ImageRequest]):
    """Pictures: one call that takes seconds or minutes, and answers with the pictures themselves."""

    model = ImageRequest
    provider = OPENAI
    provider_name = "OpenAI"
    submit_timeout = timedelta(seconds=openai.CALL_SECONDS) + STORING
    slot = submit_timeout  # as long as a call may last; the turn of one that is lost is freed by `sweep`
    deadline = submit_timeout
    is_askable = False
    at_once = 4  # OpenAI limits by pace, not by number; the owner may change it in the admin

    def prepare(self) -> None:
        """Load the client library, which takes a second or two the first time."""
        openai.load()

    def submit(self, job: ImageRequest) -> Finished | Ended:
        """Ask for the pictures, once, and store them. What cannot be stored is said, with what it cost."""
        if not storage.has_room(ROOM_WANTED):
            message = _("The disk is full, so nothing was asked for.")
            raise ProviderError(Verdict.LATER, message, provider=self.provider_name)
        try:
            storage.check_reachable()
        except storage.StorageAwayError as error:
            message = _("%(problem)s So nothing was asked for.") % {"problem": error.message}
            raise ProviderError(Verdict.LATER, message, provider=self.provider_name) from error
        references, mask = keeping.load_references(job.references, job.mask)
        request = openai.ImageRequest(
            prompt=job.prompt, model=job.model, n=job.count, size=job.size, quality=job.quality,
            background=job.background, output_format=job.output_format, output_compression=job.output_compression,
            moderation=job.moderation, partial_images=job.early_versions,
            references=references, mask=mask,
        )  # fmt: skip
        started = time.monotonic()
        said = openai.generate(request, on_partial=lambda _number, content: keep_preview(str(job.pk), content))
        seconds = time.monotonic() - started
        fields = {"openai_response": said.raw}
        job_id = said.request_id or job.task_id
        kept, problems = keep_all(said.pictures, until=started + self.submit_timeout.total_seconds() - SPARE)
        if not kept:
            why = problems[0] if problems else _("It sent no picture.")
            return Ended(
                message=_("OpenAI answered, but the picture could not be kept. %(why)s") % {"why": why},
                problem="answer",
                charge=Charge.YES,
                fields=fields | {"job_id": job_id},
            )
        answer = Answer(kept, said, seconds)
        return Finished(answer=answer, fields=fields, job_id=job_id, is_home=True, told=told_of(kept, problems))

    def ask(self, job: ImageRequest) -> Ended:
        """Pictures cannot be asked for again: the answer of the one call is all there is."""
        return Ended(message=_("OpenAI cannot be asked about a picture."), problem="lost", charge=Charge.MAYBE)

    def keep(self, job: ImageRequest, answer: Answer) -> None:
        """Store the rows of the pictures, and the true cost if the answer counted tokens."""
        cost = true_cost(job, answer.said) or job.cost
        each = (cost / len(answer.kept)).quantize(Decimal("0.000001"))
        known = set(job.images.values_list("file_path", flat=True))  # those of an earlier submission are kept
        new = [kept for kept in answer.kept if kept.stored.name not in known]
        GeneratedImage.objects.bulk_create(
            row_of(job, len(known) + number, kept, answer, each) for number, kept in enumerate(new)
        )
        # Only the submission that this answer ends: a late one was added to what was spent before, as it was reckoned.
        mine = type(job).objects.filter(pk=job.pk, task_id=job.task_id, phase=Phase.SAVING)
        mine.update(cost=cost.quantize(Decimal("0.0001")))

    def bring_home(self, job_pk: str) -> None:
        """Nothing to do: the pictures came with the answer."""

    def sweep(self) -> None:
        """Free the turns of requests that are lost, empty the trash, and make small versions that are missing."""
        now = timezone.now()
        # OpenAI limits by pace, not by number: what is lost need not hold up the others.
        ImageRequest.objects.uncertain().holding_a_turn(now).filter(completed_at__lt=now - LOST_SLOT).update(
            slot_until=now
        )
        worn_out = list(GeneratedImage.objects.worn_out(timezone.now())[:100])
        if worn_out:
            storage.check_reachable()  # or their rows would go and their files stay
        for image in worn_out:
            names = image.names
            if GeneratedImage.objects.worn_out(timezone.now()).filter(pk=image.pk).delete()[0]:
                storage.delete(names)
        make_small_again()


def register() -> None:
    """Hand our kind of job to the engine."""
    kinds.register(ImageKind())


def make_small_again() -> None:
    """Make small versions of the latest pictures that have none, a few at a time."""
    holder = PictureHolder()
    lacking = GeneratedImage.objects.live().filter(created_at__gt=timezone.now() - SMALL_AGAIN)
    for column in THUMBS:
        for pk in lacking.filter(**{column: ""}).values_list("pk", flat=True)[:SMALL_AT_ONCE]:
            try:
                holder.make_again(Held(holder.label, pk, column, ""))
            except Exception:
                logger.warning("A small version of picture %s cannot be made yet.", pk, exc_info=True)


def keep_all(sent: tuple[openai.Picture, ...], *, until: float) -> tuple[tuple[keeping.Kept, ...], list[str]]:
    """Store what can be stored, trying until `until`. Return it, and a sentence for each that could not be."""
    kept, problems = [], []
    for picture in sent:
        try:
            kept.append(keeping.keep(picture, until=until))
        except STATED as error:
            problems.append(error.message)
        except Exception:
            # The picture is paid for and its answer is here: it failed at home, and nothing about it is uncertain.
            logger.exception("A picture could not be stored.")
            problems.append(_("It could not be stored."))
    return tuple(kept), problems


def told_of(kept: tuple[keeping.Kept, ...], problems: list[str]) -> str:
    """Return the line of history for pictures that came home."""
    told = ngettext("Done. %(count)d picture is home.", "Done. %(count)d pictures are home.", len(kept))
    return " ".join([told % {"count": len(kept)}, *problems])


def row_of(job: ImageRequest, position: int, kept: keeping.Kept, answer: Answer, cost: Decimal) -> GeneratedImage:
    """Return the row of one picture that is home."""
    return GeneratedImage(
        request=job,
        position=position,
        prompt=job.prompt,
        prompt_start=job.prompt[:200],
        revised_prompt=storable(kept.revised_prompt),
        quality=(answer.said.quality or job.quality)[:20],
        model_used=job.model,
        prompt_hash=job.prompt_hash,
        title=job.title,
        title_written=job.title_written,
        title_magic=job.title_magic,
        title_run_id=job.title_run_id,
        tags=job.tags,
        parent_id=job.parent_id,
        **kept.columns,
        duration=answer.seconds,
        cost=cost,
    )


def true_cost(job: ImageRequest, said: openai.ImageAnswer) -> Decimal | None:
    """Return what the answer cost in US dollars by its counted tokens, or None where it or the price list is silent.

    A count that makes it absurdly dear is not believed: no column would hold it, and every page would stumble over it.
    """
    model = ImageModel.objects.filter(name=job.model).first()
    if said.usage is None or model is None or model.image_out_price is None:
        return None
    text, image = model.text_in_price or 0, model.image_in_price or 0
    usage = said.usage
    total = usage.text_in * text + usage.image_in * image + usage.output_tokens * model.image_out_price
    cost = Decimal(total) / PER_MILLION
    if cost > PRICE_LIMIT:
        logger.warning("The counted tokens of request %s are not believed: %s", job.pk, usage)
        return None
    return cost


def preview_key(request_pk: str) -> str:
    """Return the cache key of the early version of a picture."""
    return f"images:preview:{request_pk}"


def keep_preview(request_pk: str, content: bytes) -> None:
    """Show an early version beside the running job. A cache that is away costs only the preview."""
    pictures.inspect(io.BytesIO(content))
    cache.set(preview_key(request_pk), pictures.thumbnails(io.BytesIO(content), (640,))[640], PREVIEW_SECONDS)
