"""Rows for tests: each function makes one that is valid as it stands, and takes whatever should be different."""

import hashlib
import io
import itertools
import uuid
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from images.models import GeneratedImage, ImageRequest, hash_of
from jobs.tests.factories import job_fields

MODEL = "gpt-image-2.6-flare"
numbers = itertools.count(1)


def make_request(**overrides: Any) -> ImageRequest:
    """Make a request without pictures: done, unless `status` says otherwise. Its phase follows the status."""
    fields: dict[str, Any] = {
        "prompt": f"A lighthouse {next(numbers)}",
        "model": MODEL,
        "size": "1024x1024",
        "quality": "medium",
        "cost": Decimal("0.0132"),
    }
    fields |= job_fields(overrides) | overrides
    fields.setdefault("prompt_written", fields["prompt"])
    fields.setdefault("prompt_hash", hash_for(fields))
    return ImageRequest.objects.create(**fields)


def hash_for(fields: dict[str, Any]) -> str:
    """Return the hash of a request with these columns."""
    names = ("size", "quality", "background", "output_format")
    chosen = {"background": "auto", "output_format": "png"} | {name: fields[name] for name in names if name in fields}
    return hash_of(prompt=fields["prompt"], model=fields["model"], **chosen)


def make_image(request: ImageRequest | None = None, *, stored: bool = True, **overrides: Any) -> GeneratedImage:
    """Make a picture of a request (of a new one, if none is given). With `stored`, its files lie in the storage."""
    request = request or make_request()
    filename = f"{uuid.uuid4().hex}.png"
    content = picture_file()
    fields: dict[str, Any] = {
        "request": request,
        "position": request.images.count(),
        "prompt": request.prompt,
        "size": request.size,
        "quality": request.quality,
        "filename": filename,
        "file_path": f"images/{filename[:2]}/{filename}",
        "local_url": f"/images/files/{filename}",
        "model_used": request.model,
        "prompt_hash": request.prompt_hash,
        "title": request.title,
        "tags": request.tags,
        "format": "png",
        "width": 8,
        "height": 6,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "thumb_320": f"thumbs/{filename[:2]}/{filename[:-4]}-320.webp",
        "thumb_640": f"thumbs/{filename[:2]}/{filename[:-4]}-640.webp",
        "duration": 4.2,
        "cost": request.cost,
    } | overrides
    fields.setdefault("prompt_start", fields["prompt"][:200])
    if stored:
        for name, kind in (("file_path", "PNG"), ("thumb_320", "WEBP"), ("thumb_640", "WEBP")):
            body = content if kind == "PNG" else picture_file(kind=kind)
            fields[name] = default_storage.save(fields[name], ContentFile(body))
    return GeneratedImage.objects.create(**fields)


def picture_file(size: tuple[int, int] = (8, 6), *, kind: str = "PNG", mode: str = "RGB", colour: Any = 80) -> bytes:
    """Paint a small real picture."""
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return file.getvalue()
