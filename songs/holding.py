"""Which files songs have, for whoever looks after all files of the studio."""

from collections.abc import Iterator

from django.utils import timezone

from jobs import tasks as job_tasks
from library import holdings
from library.holdings import Held, Holder
from songs.models import AUDIO_KINDS, FileState, Song, SongFile, StemSeparation


class SongFileHolder(Holder):
    """The audio and the archives of choices."""

    model = SongFile

    def held(self, using: str) -> Iterator[Held]:
        """Return every file that is at home."""
        rows = SongFile.objects.using(using).home().order_by("pk")
        for pk, name, sha256, size in rows.values_list("pk", "name", "sha256", "size").iterator(chunk_size=1000):
            yield Held(self.label, pk, "name", name, sha256, size)

    def fetch_again(self, held: Held) -> bool:
        """Have the file fetched from Mureka again, if its link can still live."""
        now = timezone.now()
        rows = SongFile.objects.home().filter(pk=held.pk, name=held.name, link_expires_at__gt=now).exclude(url="")
        if not rows.update(state=FileState.WAITING, name="", attempts=0, error="", next_try_at=now, updated_at=now):
            return False
        file = SongFile.objects.select_related("choice").get(pk=held.pk)
        stems = StemSeparation.objects.filter(choice=file.choice_id).first()
        if file.kind in AUDIO_KINDS:
            job_tasks.send_home(Song._meta.label_lower, str(file.choice.song_id))
        elif stems is not None:
            job_tasks.send_home(StemSeparation._meta.label_lower, str(stems.pk))
        return True


def register() -> None:
    """Tell that songs have files."""
    holdings.register(SongFileHolder())
