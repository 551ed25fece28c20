"""What the tests of the pages share."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from images.models import GeneratedImage
from images.tests.factories import make_image


def make_row(title: str = "", *, minutes: int = 0, **overrides: Any) -> GeneratedImage:
    """Make a picture without files, so many minutes old."""
    created = timezone.now() - timedelta(minutes=minutes)
    return make_image(stored=False, title=title, created_at=created, **overrides)
