"""What the job card of a picture request shows."""

import zlib
from decimal import Decimal
from functools import cached_property

from django.core.cache import cache
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _

from images import services
from images.models import GeneratedImage, ImageModel, ImageRequest, ImageRequestQuerySet
from images.tasks import preview_key
from jobs.cards import JobCard, JobsAround, elapsed_of, usual_of
from jobs.models import Phase, Status

HISTORY = 100  # requests from which is told how long pictures take


def requests_for_cards() -> ImageRequestQuerySet:
    """Return requests with what a card shows: their pictures, without those in the trash."""
    pictures = Prefetch("images", GeneratedImage.objects.live().for_grid().order_by("position"), to_attr="at_home")
    return ImageRequest.objects.defer("openai_response").prefetch_related(pictures)


def pill_of_request(job: ImageRequest) -> tuple[str, str] | None:
    """Return the kind and the words of a pill while the one call runs that brings the pictures; None before and after.

    The call ends with the pictures themselves, so what is "being submitted" for other jobs is the work here.
    """
    if job.phase != Phase.SUBMITTING:
        return None
    return "running", _("Running %(time)s") % {"time": elapsed_of(job)}


class Around(JobsAround):
    """What all picture cards of a page share."""

    @cached_property
    def offered(self) -> dict[str, ImageModel]:
        """The models that a request can be submitted to again, by name."""
        return {model.name: model for model in services.offered_models()}

    def usual(self, job: ImageRequest) -> tuple[int, int] | None:
        """How long requests to the same model at the same quality take, in seconds."""
        key = (job.model, job.quality, job.count)
        if key not in self._usual:
            alike = ImageRequest.objects.filter(
                status=Status.SUCCESS, model=job.model, quality=job.quality, count=job.count
            )
            self._usual[key] = usual_of(
                alike.order_by("-created_at").values_list("submitted_at", "completed_at")[:HISTORY]
            )
        return self._usual[key]

    @cached_property
    def _usual(self) -> dict[tuple[str, str, int], tuple[int, int] | None]:
        return {}


class ImageCard(JobCard):
    """A request for pictures as its card shows it."""

    job: ImageRequest
    around: Around

    def __init__(self, job: ImageRequest, place: int | None = None, around: Around | None = None) -> None:
        super().__init__(job, place, around or Around())

    @property
    def title(self) -> str:
        """What the job makes."""
        return self.job.display_title

    @property
    def pill(self) -> str:
        """The kind of the pill."""
        found = pill_of_request(self.job)
        return found[0] if found else super().pill

    @cached_property
    def label(self) -> str:
        """The words of the pill."""
        found = pill_of_request(self.job)
        return found[1] if found else super().label

    @property
    def shows_progress(self) -> bool:
        """Whether there is a bar."""
        return self.job.phase == Phase.SUBMITTING or super().shows_progress

    @cached_property
    def usual(self) -> tuple[int, int] | None:
        """How long such pictures take, in seconds."""
        return self.around.usual(self.job) if self.shows_progress else None

    @cached_property
    def preview_url(self) -> str:
        """Where the early version is; "" while there is none. The address changes with the picture."""
        if not self.job.is_active or not self.job.shows_partial:
            return ""
        content = cache.get(preview_key(str(self.job.pk)))
        return f"{reverse('images:preview', args=[self.job.pk])}?v={zlib.crc32(content)}" if content else ""

    @property
    def pictures(self) -> list[GeneratedImage]:
        """The pictures that came of it, without those in the trash."""
        found: list[GeneratedImage] | None = getattr(self.job, "at_home", None)
        return list(self.job.images.live().for_grid().order_by("position")) if found is None else found

    @cached_property
    def again_price(self) -> Decimal | None:
        """What submitting it again would cost in US dollars; None if it cannot be."""
        model = self.around.offered.get(self.job.model)
        if model is None or not self.job.can_submit_again:
            return None
        return services.price_of_request(model, self.job)

    @property
    def url(self) -> str:
        """Where the card is."""
        return reverse("images:card", args=[self.job.pk])

    @property
    def page_url(self) -> str:
        """The page of the request."""
        return self.job.get_absolute_url()

    @property
    def cancel_url(self) -> str:
        """Where a cancel is sent."""
        return reverse("images:cancel", args=[self.job.pk])

    @property
    def again_url(self) -> str:
        """Where "submit again" is asked about, and sent."""
        return reverse("images:submit-again", args=[self.job.pk])
