"""What a job card shows: where the job stands, whether it cost money, and what may be done about it."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from django.contrib.humanize.templatetags.humanize import ordinal
from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs import leases, turns
from jobs.models import Charge, Job, Phase, Status
from songs import services
from songs.models import Song, SongChoice, SongModel, SongQuerySet, StemSeparation

# After this long in line, with nobody following, it is the worker that is missing and not a turn.
PATIENCE = timedelta(seconds=15)
IN_LINE = {1: gettext_lazy("next in line"), 2: gettext_lazy("second in line"), 3: gettext_lazy("third in line")}
NEEDS_ACCOUNT = frozenset({"bad_key", "out_of_money"})


def pill_of(job: Job) -> tuple[str, str]:
    """Return the kind and the words of a job's pill."""
    if job.status == Status.PROGRESS and job.phase == Phase.RUNNING:
        return "running", _("Running %(time)s") % {"time": elapsed_of(job)}
    by_phase = {
        Phase.WAITING: ("waiting", _("Waiting")),
        Phase.SUBMITTING: ("running", _("Being submitted")),
        Phase.SAVING: ("saving", _("Saving files")),
        Phase.UNCERTAIN: ("uncertain", _("Uncertain")),
    }
    by_status = {
        Status.SUCCESS: ("done", _("Done")),
        Status.FAILURE: ("failed", _("Failed")),
        Status.CANCELLED: ("cancelled", _("Cancelled")),
    }
    return by_phase.get(Phase(job.phase)) or by_status[Status(job.status)]


def elapsed_of(job: Job) -> str:
    """Return how long the provider has been at work, as 0:42."""
    seconds = int((job.elapsed or timedelta()).total_seconds())
    return f"{seconds // 60}:{seconds % 60:02}"


def songs_for_cards() -> SongQuerySet:
    """Return songs with what a card shows: the title may come from the lyrics, so those are read, too."""
    choices = Prefetch("choices", queryset=SongChoice.objects.for_list())
    return Song.objects.defer("mureka_response").prefetch_related(choices)


class Around:
    """What all cards of a page share, so that it is asked for once and not for every card."""

    @cached_property
    def somebody_follows(self) -> bool:
        """Whether a worker follows the jobs now."""
        return leases.is_held(leases.FOLLOW)

    @cached_property
    def models(self) -> dict[str, SongModel]:
        """The models on offer, by name."""
        return {model.name: model for model in SongModel.objects.filter(is_active=True)}

    @cached_property
    def usual_song(self) -> tuple[int, int] | None:
        """How long songs take, in seconds."""
        return services.usual_seconds(is_instrumental=False)

    @cached_property
    def usual_instrumental(self) -> tuple[int, int] | None:
        """How long instrumentals take, in seconds."""
        return services.usual_seconds(is_instrumental=True)


@dataclass(frozen=True)
class Card:
    """One job, a song's or a separation's, as its card shows it."""

    job: Song | StemSeparation
    place: int | None = None  # in line, where the caller knows it already
    around: Around = field(default_factory=Around)

    @property
    def is_stems(self) -> bool:
        """Whether the card is about stems."""
        return isinstance(self.job, StemSeparation)

    @cached_property
    def song(self) -> Song:
        """The song that the card belongs to."""
        return self.job.choice.song if isinstance(self.job, StemSeparation) else self.job

    @property
    def element_id(self) -> str:
        """The card's id in a page."""
        return f"job-{self.job.pk}"

    @property
    def title(self) -> str:
        """What the job makes."""
        title = self.song.display_title
        if isinstance(self.job, StemSeparation):
            return _("Stems of “%(title)s”, choice %(number)d") % {"title": title, "number": self.job.choice.number}
        return title

    @property
    def pill(self) -> str:
        """The kind of the pill."""
        return pill_of(self.job)[0]

    @cached_property
    def label(self) -> str:
        """The words of the pill, with the place in line."""
        if self.job.phase != Phase.WAITING or self.job.status != Status.PENDING:
            return pill_of(self.job)[1]
        place = self.place or turns.place_in_line(self.job)
        in_line = IN_LINE.get(place) or _("%(place)s in line") % {"place": ordinal(place)}
        return _("Waiting, %(place)s") % {"place": in_line}

    @property
    def usual(self) -> tuple[int, int] | None:
        """How long songs like this take, in seconds; None for what has no history."""
        if self.is_stems or self.job.status != Status.PROGRESS:
            return None
        return self.around.usual_instrumental if self.song.is_instrumental else self.around.usual_song

    @property
    def progress(self) -> int | None:
        """How far the usual time has gone, in percent; None if that is not known."""
        if self.usual is None or self.job.elapsed is None or self.job.phase != Phase.RUNNING:
            return None
        return min(95, int(100 * self.job.elapsed.total_seconds() / max(1, self.usual[1])))

    @cached_property
    def note(self) -> str:
        """What a person waits for, in one line."""
        job = self.job
        if not job.is_active:
            return ""
        if job.problem and job.next_poll_at:
            seconds = int((job.next_poll_at - timezone.now()).total_seconds()) + 1
            return _("Trying again in %(seconds)d s.") % {"seconds": seconds} if seconds > 1 else _("Trying again now.")
        if job.can_cancel and timezone.now() - job.queued_at > PATIENCE and not self.around.somebody_follows:
            return _("No worker is running. It is made as soon as one is.")
        if job.cancel_requested_at:
            return _("Mureka cannot stop a job, so its result is kept.")
        if self.usual and self.usual[1] > self.usual[0]:
            return _("Usually %(low)d to %(high)d s.") % {"low": self.usual[0], "high": self.usual[1]}
        return ""

    @cached_property
    def again_price(self) -> Decimal | None:
        """What submitting it again would cost in US dollars; None if it cannot be."""
        if not self.job.can_submit_again:
            return None
        if self.is_stems:
            return self.job.cost
        model = self.around.models.get(self.job.model)
        price = model.price(is_instrumental=self.song.is_instrumental) if model else None
        return None if price is None else price * self.song.variants

    @property
    def may_cost_twice(self) -> bool:
        """Whether the job may have been paid for already, so that once more is a decision of its own."""
        return self.job.charge != Charge.NO

    @property
    def can_ask_again(self) -> bool:
        """Whether Mureka can be asked about a job that has ended. About stems it never can."""
        return not self.is_stems and self.job.can_ask_again and not self.job.is_active

    @property
    def needs_account(self) -> bool:
        """Whether the trouble is with the account at Mureka."""
        return self.job.problem in NEEDS_ACCOUNT

    @property
    def url(self) -> str:
        """Where the card is."""
        return self._address("songs:card", "songs:stems-card")

    @property
    def page_url(self) -> str:
        """The page of the song."""
        return self.song.get_absolute_url()

    @property
    def cancel_url(self) -> str:
        """Where a cancel is sent."""
        return self._address("songs:cancel", "songs:stems-cancel")

    @property
    def again_url(self) -> str:
        """Where "submit again" is asked about, and sent."""
        return self._address("songs:submit-again", "songs:stems-submit-again")

    def _address(self, song: str, stems: str) -> str:
        if isinstance(self.job, StemSeparation):
            return reverse(stems, args=[self.job.choice_id])
        return reverse(song, args=[self.job.pk])
