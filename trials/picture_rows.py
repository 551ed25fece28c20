"""What a trial must do with pictures inside Django: `python -m trials.picture_rows allow | fill | cookie | queries`."""

import io
import json
import os
import sys
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import django

from trials.inside import BATCH, RARE, WORDS

if TYPE_CHECKING:
    from images.models import GeneratedImage, ImageRequest

LARGE = "3840x2160"
DIFFERENT = 40  # pictures whose small versions all rows share
SET_OF = 4  # pictures that every tenth request made
MODELS = ("gpt-image-2.6-flare", "gpt-image-2.6-sunburst", "gpt-image-2.5-flare")
SHAPES = ((1024, 1024), (1536, 1024), (1024, 1536))


def allow(at_once: int) -> None:
    """Let so many requests run at once, and offer the largest size."""
    from images.models import ImageModel  # noqa: PLC0415
    from jobs.turns import account_of  # noqa: PLC0415

    account = account_of("openai")
    account.concurrent_request_limit = at_once
    account.save()
    for model in ImageModel.objects.filter(is_default=True):
        model.sizes.append(LARGE)
        model.save()


def painted(size: tuple[int, int], number: int) -> bytes:
    """Return a picture as the mock makes it: a PNG."""
    from mockapi import painting  # noqa: PLC0415

    words = f"A {WORDS[number % len(WORDS)]}"
    return painting.encode(painting.paint(painting.Subject(f"{words} {number}", words, *size)), "png", 100)


def grain() -> bytes:
    """Return a small JPEG of noise: what the mock paints over it is a PNG as large as a real one, 4 MB at `LARGE`."""
    import numpy as np  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    noise = 128 + np.random.default_rng(1).normal(0, 8, (256, 256, 3))
    file = io.BytesIO()
    Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def small_versions() -> list[dict[int, str]]:
    """Store small versions of some pictures. Return their names in storage by side."""
    from images.keeping import SIDES  # noqa: PLC0415
    from library import pictures, storage  # noqa: PLC0415

    stored = []
    for number in range(DIFFERENT):
        made = pictures.thumbnails(io.BytesIO(painted(SHAPES[number % len(SHAPES)], number)), SIDES)
        names = {}
        for side, thumb in made.items():
            names[side] = storage.store([thumb], folder="thumbs", suffix="webp", kind="webp", max_bytes=10**6).name
        stored.append(names)
    return stored


def fill(count: int) -> None:
    """Write `count` pictures, one every five minutes of the past; every tenth request made a set of four."""
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from images.models import GeneratedImage, ImageRequest  # noqa: PLC0415

    now, small = timezone.now(), small_versions()
    requests: list[ImageRequest] = []
    images: list[GeneratedImage] = []
    number = 0
    while number < count:
        made_at = now - timedelta(minutes=5 * number)
        request = ended_request(number, made_at)
        requests.append(request)
        for position in range(min(request.count, count - number)):
            images.append(image_of(request, number, position, small[number % DIFFERENT], made_at))
            number += 1
        if len(images) >= BATCH or number == count:
            ImageRequest.objects.bulk_create(requests)
            GeneratedImage.objects.bulk_create(images)
            requests.clear()
            images.clear()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum does within a minute


def ended_request(number: int, made_at: datetime) -> "ImageRequest":
    """Return a request that is done."""
    from images.models import ImageRequest  # noqa: PLC0415

    words = [WORDS[(number * (place + 3) + place) % len(WORDS)] for place in range(6)]
    title = f"{words[0].title()} {words[1]} {number}" + (f" {RARE}" if number % 5000 < SET_OF else "")
    return ImageRequest(
        prompt=f"{title}: " + " ".join(words * 6),
        model=MODELS[number % len(MODELS)],
        prompt_hash=f"{number:032x}",
        count=SET_OF if number % 10 == 0 else 1,
        title=title,
        tags=f"{words[2]}, {words[3]}" if number % 3 == 0 else "",
        job_id=f"req_{uuid.uuid4().hex}",
        status="SUCCESS",
        phase="ended",
        charge="yes",
        openai_response={"usage": {"input_tokens": 20, "output_tokens": 439}},
        next_poll_at=None,
        created_at=made_at,
        queued_at=made_at,
        submitted_at=made_at,
        completed_at=made_at + timedelta(seconds=30),
    )


def image_of(
    request: "ImageRequest", number: int, position: int, small: dict[int, str], made_at: datetime
) -> "GeneratedImage":
    """Return a picture of a request."""
    from images.models import GeneratedImage  # noqa: PLC0415

    width, height = SHAPES[number % DIFFERENT % len(SHAPES)]
    filename = f"{number:032x}.png"
    return GeneratedImage(
        request=request,
        position=position,
        prompt=request.prompt,
        prompt_start=request.prompt[:200],
        size=f"{width}x{height}",
        quality="medium",
        filename=filename,
        file_path=f"images/{filename[-6:-4]}/{filename}",
        model_used=request.model,
        prompt_hash=request.prompt_hash,
        title=request.title,
        tags=request.tags,
        rating={0: 1, 1: 0}.get(number % 7),
        format="png",
        width=width,
        height=height,
        bytes=1_500_000,
        sha256=f"{number:064x}",
        thumb_320=small[320],
        thumb_640=small[640],
        duration=30.0,
        created_at=made_at,
    )


def cookie() -> None:
    """Write the session's cookie of the owner, signed in."""
    from django.conf import settings  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415

    client = Client()
    client.force_login(User.objects.get())
    sys.stdout.write(client.cookies[settings.SESSION_COOKIE_NAME].value)


def queries(path: str) -> None:
    """Write how many database queries a GET of a page by the owner takes, the session's and the account's included."""
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get())
    client.get(path)  # what is only done once in the life of a process is not a request's
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    sys.stdout.write(json.dumps({"status": answer.status_code, "queries": len(captured)}) + "\n")


def main(command: str, *arguments: str) -> None:
    """Do one of the above."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "macai.settings")
    django.setup()
    if command in {"allow", "fill"}:
        {"allow": allow, "fill": fill}[command](int(arguments[0]))
    elif command == "cookie":
        cookie()
    else:
        queries(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
