"""The rows about backups, made to say what the folder says."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from backups.errors import BackupError
from backups.manifest import DATABASE, Manifest
from backups.models import Backup, State
from backups.store import DAMAGED, VERIFIED, Store, began_at

FAILURES_KEPT = timedelta(days=30)


def end_interrupted() -> None:
    """Call those failed that nobody makes any more. Only for who holds the lock of the folder."""
    Backup.objects.running().update(
        state=State.FAILED, finished_at=timezone.now(), message=_("It was interrupted. Older backups are untouched.")
    )


def reconcile(store: Store) -> None:
    """Have a row for every whole backup in the folder, as it was last found, and none for a good one that is gone."""
    names = set(store.names())
    damaged = {name for name in names if store.judged_at(name, DAMAGED)}
    Backup.objects.good().exclude(name__in=names).delete()
    Backup.objects.good().filter(name__in=damaged).update(state=State.FAILED)
    long_ago = timezone.now() - FAILURES_KEPT
    Backup.objects.filter(state=State.FAILED, started_at__lt=long_ago).exclude(name__in=names).delete()
    known = set(Backup.objects.values_list("name", flat=True))
    for name in sorted(names - known):
        try:
            manifest = store.manifest(name)
        except BackupError:
            continue
        Backup.objects.create(
            name=name,
            state=State.FAILED if name in damaged else State.DONE,
            started_at=began_at(name),
            finished_at=None,
            verified_at=store.judged_at(name, VERIFIED),
            **figures(manifest),
        )


def figures(manifest: Manifest) -> dict[str, int | bool]:
    """Return what a row tells of a manifest."""
    return {
        "rows": manifest.rows,
        "files": manifest.files,
        "missing": manifest.missing,
        "media_bytes": manifest.media_bytes,
        "database_bytes": manifest.parts[DATABASE].size,
        "is_encrypted": bool(manifest.seal),
    }
