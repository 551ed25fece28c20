"""`manage.py restore`: put a backup in place of an empty studio."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from backups.errors import BackupError
from backups.making import store_in_use
from backups.restoring import Restored, restore
from backups.sources import find_source


class Command(BaseCommand):
    """Check a backup whole, then restore it."""

    help = "Restores a backup: the newest in BACKUP_DIR, one of that folder by its name, or an archive by its path."
    requires_system_checks = []  # the database may be empty, or of another version

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("backup", nargs="?", default="", help="a name in BACKUP_DIR, or the path of an archive")
        parser.add_argument("--list", action="store_true", help="only say which backups there are")
        parser.add_argument("--force", action="store_true", help="replace what the studio holds; make a backup first")
        parser.add_argument("--unsigned", action="store_true", help="accept a backup made under another SECRET_KEY")
        parser.add_argument("--identity", default="", metavar="FILE", help="the age key, if it is encrypted")
        parser.add_argument("--portable", action="store_true", help="read the rows, not the database's own dump")
        parser.add_argument(
            "--release-waiting",
            action="store_true",
            help="let jobs go on that waited: only if the studio did not run after the backup was made",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, and say what to look at."""
        store = store_in_use()
        if options["list"]:
            self.stdout.write("\n".join(store.names()) or f"There is no backup in {store.root}.")
            return
        try:
            done = restore(
                find_source(store, options["backup"]),
                force=options["force"],
                is_signed=not options["unsigned"],
                portable=options["portable"],
                release_waiting=options["release_waiting"],
                identity=options["identity"],
                tell=self.stdout.write,
            )
        except BackupError as error:
            raise CommandError(error.message) from error
        self.stdout.write(summary(done))


def summary(done: Restored) -> str:
    """Return what a person wants to know after a restore."""
    manifest = done.manifest
    held = (
        f"{done.held} jobs are held as uncertain: they waited when the backup was made, and may have been paid for "
        "since. Look at each before you submit it again."
    )
    replaced = f"{done.replaced_texts} texts held characters that PostgreSQL does not store; these were replaced."
    lines = [
        f"Restored {done.name}, made by Macai {manifest.version}.",
        f"{manifest.rows:,} rows, {manifest.files:,} files of {filesizeformat(manifest.media_bytes)}.",
        held if done.held else "",
        replaced if done.replaced_texts else "",
        "Everybody signs in again. API tokens that were revoked after the backup are valid again: revoke them again.",
        "Start the studio now. Jobs that ran are asked about and go on.",
    ]
    return "\n".join(line for line in lines if line)
