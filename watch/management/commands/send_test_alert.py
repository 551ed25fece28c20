"""`manage.py send_test_alert`: try the ways by which alerts go out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from watch import sending


class Command(BaseCommand):
    """Send a test message by each way that is set."""

    help = "Sends a test message to ALERT_WEBHOOK_URL and ALERT_EMAIL, and says how that went."

    def handle(self, *args: Any, **options: Any) -> None:
        """Send, and fail if any way does not work."""
        outcomes = sending.send_test()
        if not outcomes:
            raise CommandError("Neither ALERT_WEBHOOK_URL nor ALERT_EMAIL is set, so nobody can be told.")
        for way, problem in outcomes.items():
            self.stdout.write(f"{way}: {problem or 'sent'}")
        if any(outcomes.values()):
            raise CommandError("Not every way works.")
