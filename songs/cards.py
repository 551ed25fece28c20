"""What a job card of songs shows: what jobs/cards.py shows of any job, with the songs' own pages and prices."""

from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _

from jobs.cards import JobCard, JobsAround
from jobs.models import Status
from songs import services
from songs.models import HEAVY, Song, SongChoice, SongModel, SongQuerySet, StemSeparation


def songs_for_cards() -> SongQuerySet:
    """Return songs with what a card shows."""
    choices = Prefetch("choices", queryset=SongChoice.objects.for_list())
    return Song.objects.defer(*HEAVY).prefetch_related(choices)


class Around(JobsAround):
    """What all cards of a page share, so that it is asked for once and not for every card."""

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


class Card(JobCard):
    """One job, a song's or a separation's, as its card shows it."""

    job: Song | StemSeparation
    around: Around

    def __init__(self, job: Any, place: int | None = None, around: Around | None = None) -> None:
        super().__init__(job, place, around or Around())

    @property
    def is_stems(self) -> bool:
        """Whether the card is about stems."""
        return isinstance(self.job, StemSeparation)

    @cached_property
    def song(self) -> Song:
        """The song that the card belongs to."""
        return self.job.choice.song if isinstance(self.job, StemSeparation) else self.job

    @property
    def title(self) -> str:
        """What the job makes."""
        title = self.song.display_title
        if isinstance(self.job, StemSeparation):
            return _("Stems of “%(title)s”, choice %(number)d") % {"title": title, "number": self.job.choice.number}
        return title

    @property
    def usual(self) -> tuple[int, int] | None:
        """How long songs like this take, in seconds; None for what has no history."""
        if self.is_stems or self.job.status != Status.PROGRESS:
            return None
        return self.around.usual_instrumental if self.song.is_instrumental else self.around.usual_song

    @cached_property
    def again_price(self) -> Decimal | None:
        """What submitting it again would cost in US dollars; None if it cannot be."""
        if not self.job.can_submit_again:
            return None
        model = self.around.models.get(self.job.model)
        if self.is_stems:
            return model.stems_price if model else None
        price = model.price(is_instrumental=self.song.is_instrumental) if model else None
        return None if price is None else price * self.song.variants

    @property
    def can_ask_again(self) -> bool:
        """Whether Mureka can be asked about a job that has ended. About stems it never can."""
        return not self.is_stems and self.job.can_ask_again and not self.job.is_active

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
