"""Bodies that are troubled a number of times before they pass, whichever process they meet."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from mockapi.models import Trouble

# A refused body that never comes back is forgotten after this.
TROUBLE_LIFE = timedelta(minutes=10)


def trouble(fingerprint: str, times: int) -> bool:
    """Whether a body is troubled once more; exact with any number of processes. Then it passes, and starts anew."""
    now = timezone.now()
    with transaction.atomic():
        row, _ = Trouble.objects.get_or_create(fingerprint=fingerprint, defaults={"given_at": now})
        row = Trouble.objects.select_for_update().get(pk=row.pk)
        given = row.given if row.given_at > now - TROUBLE_LIFE else 0
        if given >= times:
            row.delete()
            return False
        row.given, row.given_at = given + 1, now
        row.save()
        return True
