"""What a song's page shows of one choice: what plays, what can be downloaded, its stems."""

from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from jobs.models import Status
from library import storage
from songs.cards import Card
from songs.models import FILE_KINDS, FileState, Song, SongChoice, SongFile, SongModel, StemSeparation

ORDER = list(FILE_KINDS)


@dataclass(frozen=True)
class Panel:
    """One choice on the song's page."""

    song: Song
    choice: SongChoice
    offers: list[SongModel]  # models that separate stems

    @cached_property
    def files(self) -> list[SongFile]:
        """The files of the choice, in the order in which they are shown."""
        return sorted(self.choice.files.all(), key=lambda file: ORDER.index(file.kind))

    @property
    def missing(self) -> list[SongFile]:
        """Files whose link does not answer, and that may be asked for again."""
        return [file for file in self.files if file.state == FileState.MISSING]

    @cached_property
    def stems(self) -> StemSeparation | None:
        """The separation of the choice, if one was ever asked for."""
        stems: StemSeparation | None = getattr(self.choice, "stems", None)
        if stems is not None:
            stems.choice = self.choice  # spares the card a query
        return stems

    @property
    def stems_card(self) -> Card | None:
        """The card of a separation that has not brought anything yet."""
        return Card(self.stems) if self.stems and self.stems.status != Status.SUCCESS else None

    @cached_property
    def tracks(self) -> list[tuple[str, int]]:
        """The files in the stems' archive, as (name, size in bytes)."""
        archive = self.choice.file_at_home("stems")
        if archive is None:
            return []
        try:
            return storage.list_zip(archive.name)
        except (storage.DamagedFileError, OSError):
            return []

    @property
    def can_separate(self) -> bool:
        """Whether stems can be asked for: there is a file to separate, nobody has yet, and it is not in the trash."""
        return not self.song.is_in_trash and self.stems is None and self.choice.file_at_home("mp3") is not None


def panels_of(song: Song) -> list[Panel]:
    """Return the choices of a song that came with `with_choices()`."""
    offers = [model for model in SongModel.objects.filter(is_active=True) if model.stems_price is not None]
    panels = []
    for choice in song.choices.all():
        choice.song = song
        panels.append(Panel(song=song, choice=choice, offers=offers))
    return panels


def download_name(choice: SongChoice, file: SongFile) -> str:
    """Return what a downloaded file is called."""
    kind = "" if file.kind == file.suffix else f" {file.kind}"
    title = choice.title or choice.song.display_title
    return _("%(title)s %(number)d") % {"title": title, "number": choice.number} + f"{kind}.{file.suffix}"
