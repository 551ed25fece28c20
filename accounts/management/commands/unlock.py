"""`manage.py unlock`: let somebody try to sign in again at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.models import FailedSignIn


class Command(BaseCommand):
    """List whose sign-ins failed lately, or forget it."""

    help = "Without arguments: lists failed sign-ins. With a name, an address or --all: forgets them, which unlocks."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take names and addresses."""
        parser.add_argument("who", nargs="*", help="names or addresses")
        parser.add_argument("--all", action="store_true", help="everybody")

    def handle(self, *args: Any, **options: Any) -> None:
        """Forget what is named, or show what there is."""
        if options["all"]:
            return self.forgotten(FailedSignIn.objects.all().delete()[0])
        if options["who"]:
            return self.forgotten(FailedSignIn.objects.named(options["who"]).delete()[0])
        for row in FailedSignIn.objects.recent().order_by("-attempt_time"):
            state = "locked" if row.is_locked else "open"
            self.stdout.write(f"{row.username}\t{row.ip_address or '-'}\t{row.failures_since_start} failed\t{state}")
        return None

    def forgotten(self, count: int) -> None:
        """Say how much was forgotten."""
        self.stdout.write(f"{count} forgotten." if count else "Nothing was counted for that.")
