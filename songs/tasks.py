"""What a worker does for songs: how the engine submits them, asks about them and keeps their answers."""

import base64
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import kinds
from jobs import tasks as job_tasks
from jobs.kinds import Accepted, AccountFigures, Ended, Finished, Kind, Running
from jobs.models import Charge, Phase
from library import storage
from providers import mureka
from providers.errors import ProviderError, Verdict
from providers.http import longest_call
from songs import curation, fetching
from songs.models import AUDIO_KINDS, LINKS_LIVE, FileState, Song, SongChoice, SongFile, StemSeparation

MUREKA = "mureka"
DATA_URI_LIMIT = 10 * 1024 * 1024  # bytes, of the URI itself
SWEEP_AT_MOST = 50
PURGE_AT_MOST = 100
INDEX_LIMIT = 1000  # a choice's number beyond this is not believed
STALE = timedelta(hours=6)
ON_THE_WAY = timedelta(seconds=20)  # from the claim to the call, and from its end to the row


class SongKind(Kind[Song]):
    """Songs and instrumentals: submitted, followed, their files fetched."""

    model = Song
    provider = MUREKA
    provider_name = "Mureka"
    submit_timeout = timedelta(seconds=longest_call(mureka.SUBMIT_TIMEOUT)) + ON_THE_WAY
    wish = (
        "lyrics", "prompt", "model", "variants", "gender", "is_instrumental", "title", "tags",
        "lyrics_written", "lyrics_magic", "lyrics_run_id", "prompt_written", "prompt_magic", "prompt_run_id",
        "title_written", "title_magic", "title_run_id",
    )  # fmt: skip

    @property
    def slot(self) -> timedelta:  # type: ignore[override]
        """How long a song of unknown fate keeps its turn."""
        return timedelta(seconds=settings.MUREKA_SLOT_SECONDS)

    @property
    def deadline(self) -> timedelta:  # type: ignore[override]
        """How long a song may take."""
        return timedelta(seconds=settings.MUREKA_DEADLINE_SECONDS)

    def submit(self, job: Song) -> Accepted:
        """Ask Mureka for the song, once."""
        if job.is_instrumental:
            task = mureka.generate_instrumental(prompt=job.prompt, model=job.model, n=job.variants)
        else:
            task = mureka.generate_song(
                lyrics=job.lyrics, prompt=job.prompt, model=job.model, n=job.variants, gender=job.gender
            )
        return Accepted(job_id=task.id, cost=job.cost, fields=columns_of(task))

    def ask(self, job: Song) -> Running | Finished | Ended:
        """Ask Mureka how the song stands. The two query paths are not interchangeable."""
        task = mureka.query_instrumental(job.job_id) if job.is_instrumental else mureka.query_song(job.job_id)
        if task.is_succeeded and not task.choices:
            raise ProviderError(Verdict.LATER, _("Mureka says done, but sent no song yet."), provider="Mureka")
        if task.is_succeeded:
            return Finished(answer=task, fields=columns_of(task))
        if task.is_failed:
            return Ended(
                message=failure_sentence(task), problem=task.status, charge=Charge.MAYBE, fields=columns_of(task)
            )
        return Running(progress={"provider_status": task.status}, fields={"mureka_status": task.status[:100]})

    def keep(self, job: Song, answer: mureka.Task) -> None:
        """Store the choices and what files they have. The same answer a second time changes nothing."""
        choices = list(job.choices.all())
        known = {choice.mureka_choice_id or choice.mp3_url: choice for choice in choices}
        taken = {choice.choice_index for choice in choices}
        for sent in answer.choices:
            choice = known.get(sent.id or sent.mp3_url)
            if choice is None:
                # A song that was submitted again keeps the choices it had: they are paid for.
                free = next(number for number in itertools.count() if number not in taken)
                index = sent.index if sent.index < INDEX_LIMIT and sent.index not in taken else free
                taken.add(index)
                choice = SongChoice(song=job, mureka_choice_id=sent.id, choice_index=index, title=job.title)
            choice.mp3_url, choice.flac_url, choice.wav_url = sent.mp3_url, sent.flac_url, sent.wav_url
            choice.duration = sent.duration
            choice.lyrics_sections = sent.lyrics_sections
            choice.save()
            links = {"mp3": sent.mp3_url, "flac": sent.flac_url, "wav": sent.wav_url}
            expect_files(choice, links, timezone.now() + LINKS_LIVE)

    def bring_home(self, job_pk: str) -> None:
        """Fetch the audio of the song, and end the song when it is home."""
        files = SongFile.objects.filter(choice__song_id=job_pk, kind__in=AUDIO_KINDS)
        fetching.fetch(files, keep_claim=lambda: fetching.extend_claim(Song, job_pk))
        song = Song.objects.filter(pk=job_pk).first()
        if song is None:
            return
        # Choices of an earlier submission may have lost their links for good; they do not spoil this one.
        choices = song.choices.filter(created_at__gte=song.submitted_at or song.created_at)
        has_audio = [choice.audio is not None for choice in choices.prefetch_related("files")]
        fetching.settle(song, files, is_complete=bool(has_audio) and all(has_audio))

    def sweep(self) -> None:
        """Fetch files whose link did not answer before, while it can still live; clear away what is not needed."""
        storage.remove_stale_parts(STALE)
        late = SongFile.objects.due(timezone.now()).exclude(choice__song__phase=Phase.SAVING)
        audio = late.filter(kind__in=AUDIO_KINDS, choice__song__deleted_at=None)
        for pk in audio.order_by().values_list("choice__song", flat=True).distinct()[:SWEEP_AT_MOST]:
            job_tasks.send_home(Song._meta.label_lower, str(pk))
        worn_out = Song.objects.worn_out(timezone.now()).deletable()
        if songs := list(worn_out.only("pk").order_by("deleted_at")[:PURGE_AT_MOST]):
            storage.check_reachable()  # or their rows would go and their files stay
            curation.purge_songs(songs)


class StemsKind(Kind[StemSeparation]):
    """Stems: one long synchronous call, then an archive to fetch."""

    model = StemSeparation
    provider = MUREKA
    provider_name = "Mureka"
    submit_timeout = timedelta(seconds=longest_call(mureka.STEMS_TIMEOUT)) + ON_THE_WAY
    slot = timedelta(seconds=960)
    is_askable = False
    deadline = timedelta(seconds=960)

    def submit(self, job: StemSeparation) -> Finished:
        """Have the choice separated. The answer is the archive itself, so there is nothing to follow."""
        stems = mureka.separate_stems(url=source_of(job), model=job.model)
        fields = {"mureka_response": stems.raw}
        return Finished(answer=stems, fields=fields, job_id=stems.trace_id or job.task_id, cost=job.cost)

    def ask(self, job: StemSeparation) -> Ended:
        """Stems cannot be asked for again: Mureka has no such call."""
        return Ended(message=_("Mureka cannot be asked about stems."), problem="lost", charge=Charge.MAYBE)

    def keep(self, job: StemSeparation, answer: mureka.Stems) -> None:
        """Store what archives there are to fetch."""
        links = {"stems": answer.zip_url, "midi": answer.midi_zip_url}
        expect_files(job.choice, links, expiry_of(answer.expires_at))

    def bring_home(self, job_pk: str) -> None:
        """Fetch the archives, and end the job when they are home."""
        job = StemSeparation.objects.filter(pk=job_pk).first()
        if job is None:
            return
        files = SongFile.objects.filter(choice=job.choice_id, kind__in=["stems", "midi"])
        fetching.fetch(files, keep_claim=lambda: fetching.extend_claim(StemSeparation, job_pk))
        job = StemSeparation.objects.filter(pk=job_pk).first()
        if job is None:
            return
        fetching.settle(job, files, is_complete=files.home().filter(kind="stems").exists())

    def sweep(self) -> None:
        """Fetch archives whose link did not answer before, while it can still live."""
        late = SongFile.objects.due(timezone.now()).exclude(choice__stems__phase=Phase.SAVING)
        archives = late.filter(kind__in=["stems", "midi"], choice__stems__isnull=False, choice__song__deleted_at=None)
        jobs = archives.order_by().values_list("choice__stems", flat=True).distinct()
        for pk in jobs[:SWEEP_AT_MOST]:
            job_tasks.send_home(StemSeparation._meta.label_lower, str(pk))


def register() -> None:
    """Hand our kinds of jobs to the engine."""
    kinds.register(SongKind())
    kinds.register(StemsKind())
    kinds.register_account(MUREKA, read_account)


def read_account() -> AccountFigures:
    """Read what Mureka says of our account."""
    billing = mureka.get_billing()
    return AccountFigures(
        concurrent_request_limit=billing.concurrent_request_limit,
        balance=billing.balance,
        total_recharge=billing.total_recharge,
        total_spending=billing.total_spending,
        account_id=billing.account_id,
    )


def columns_of(task: mureka.Task) -> dict[str, Any]:
    """Return what of an answer belongs on the song's row."""
    return {"mureka_response": task.raw, "mureka_status": task.status, "resolved_model": task.model}


def failure_sentence(task: mureka.Task) -> str:
    """Return what a person is told when Mureka ends a task without a song."""
    if task.status == "timeouted":
        return _("Mureka took too long and gave up on the song.")
    if task.status == "cancelled":
        return _("Mureka cancelled the song.")
    if task.failed_reason:
        return _("Mureka could not make the song: “%(reason)s”.") % {"reason": task.failed_reason.rstrip(".")}
    return _("Mureka could not make the song and gave no reason.")


def expect_files(choice: SongChoice, links: dict[str, str], expires: datetime) -> None:
    """Note which files are to come home. One that is home stays."""
    for kind, url in links.items():
        if not url:
            continue
        file, created = SongFile.objects.get_or_create(
            choice=choice, kind=kind, defaults={"url": url, "link_expires_at": expires}
        )
        if not created and not file.is_home:
            SongFile.objects.filter(pk=file.pk).exclude(state=FileState.HOME).update(
                url=url,
                link_expires_at=expires,
                state=FileState.WAITING,
                attempts=0,
                error="",
                next_try_at=timezone.now(),
            )


def expiry_of(seconds: int | None) -> datetime:
    """Return when a link dies (Unix seconds). What is no such time, or beyond what links live, is not believed."""
    now = timezone.now()
    latest = now + LINKS_LIVE
    is_believable = seconds is not None and now.timestamp() < seconds < latest.timestamp()
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and is_believable else latest


def source_of(job: StemSeparation) -> str:
    """Return what Mureka is to separate: the living link, or our own file as a data URI.

    Raises:
        ProviderError: refused, if the link has died and the file is too big to be sent; later, if the files are away.
    """
    if job.source_url and job.source_expires_at > timezone.now():
        return job.source_url
    if job.source_name:
        try:
            with default_storage.open(job.source_name) as file:
                uri = "data:audio/mp3;base64," + base64.b64encode(file.read(DATA_URI_LIMIT)).decode("ascii")
        except storage.StorageAwayError as error:  # nothing was sent, so it must not look uncertain
            raise ProviderError(Verdict.LATER, error.message, provider="Mureka") from error
        except OSError as error:  # the same, but waiting does not help
            message = _("Our file of this choice cannot be read.")
            raise ProviderError(Verdict.REFUSED, message, provider="Mureka", detail=str(error)) from error
        if len(uri) <= DATA_URI_LIMIT:
            return uri
    message = _("Mureka's link to this choice has died, and its file is too big to be sent.")
    raise ProviderError(Verdict.REFUSED, message, provider="Mureka")
