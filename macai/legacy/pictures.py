"""The pictures of the earlier system: checked, hashed and made small like new ones, before any row speaks of them."""

import uuid
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from images import keeping
from images.models import GeneratedImage, ImageRequest, hash_of
from jobs.models import Charge, Phase, Status
from library import pictures, storage
from library.pictures import NotAPictureError
from macai.legacy.people import People
from macai.legacy.report import Count
from macai.legacy.source import Source
from macai.legacy.values import NAMESPACE, Row, identity, moment, text
from providers import openai

TABLE = "generated_images"


def bring_pictures(source: Source, folder: Path | None, people: People, count: Count, *, dry_run: bool) -> None:
    """Bring the pictures over that are not here yet, each with its file; without its file a picture is none."""
    for batch in source.batches(TABLE, "created_at", "id"):
        rows = {identity(row.get("id"), TABLE): row for row in batch}
        here = set(GeneratedImage.objects.filter(pk__in=rows).values_list("pk", flat=True))
        count.found += len(batch)
        count.there += len(here)
        for pk, row in rows.items():
            if pk not in here:
                bring_picture(pk, row, folder, people, count, dry_run=dry_run)


def bring_picture(pk: uuid.UUID, row: Row, folder: Path | None, people: People, count: Count, *, dry_run: bool) -> None:
    """Bring one picture over, or say why not."""
    name = text(row, "filename") or text(row, "file_path") or str(pk)
    path = find_file(folder, text(row, "filename"), text(row, "file_path")) if folder else None
    if path is None:
        count.leave("its file is not in the folder" if folder else "no --images folder was named", name)
        return
    try:
        if path.stat().st_size > keeping.BYTES_LIMIT:
            count.leave("its file is too big", name)
        elif dry_run:
            with path.open("rb") as file:
                pictures.inspect(file)
            count.brought += 1
        else:
            kept = keeping.keep(openai.Picture(path.read_bytes(), "", ""))
            with keeping.removed_on_error(kept.names):
                save_picture(pk, row, kept, people)
            count.brought += 1
    except (NotAPictureError, storage.DamagedFileError) as error:
        count.leave(f"its file is no picture that we keep ({error.message})", name)
    except OSError as error:
        count.leave(f"its file cannot be read ({error.strerror})", name)


def find_file(folder: Path, filename: str, file_path: str) -> Path | None:
    """Find a picture below the folder by its name, or by the end of the path it had. Nothing outside is looked at."""
    parts = [part for part in PurePosixPath(file_path.replace("\\", "/")).parts if part not in {"/", "..", "."}]
    endings = [PurePosixPath(*parts[-length:]) for length in range(len(parts), 0, -1)]
    root = folder.resolve()
    for ending in [*endings, PurePosixPath(PurePosixPath(filename.replace("\\", "/")).name)]:
        found = (root / ending).resolve()
        if found.is_relative_to(root) and found.is_file():
            return found
    return None


def save_picture(pk: uuid.UUID, row: Row, kept: keeping.Kept, people: People) -> None:
    """Write the row of the picture, and of the wish that it came from."""
    created = moment(row, "created_at", "created") or timezone.now()
    updated = moment(row, "updated_at") or created
    shared = shared_values(row)
    with transaction.atomic():
        request, _is_new = ImageRequest.objects.update_or_create(
            pk=uuid.uuid5(NAMESPACE, f"request:{pk}"),
            defaults=request_values(pk, row, shared, created)
            | {"requested_by_id": people.by_earlier_id.get(row.get("user_id"))},
        )
        GeneratedImage.objects.create(
            pk=pk,
            request=request,
            prompt_start=shared["prompt"][:200],
            model_used=text(row, "model_used", 100),
            **kept.columns,
            created_at=created,
            **shared,
        )
        # Writing set these to now.
        GeneratedImage.objects.filter(pk=pk).update(updated_at=updated)
        ImageRequest.objects.filter(pk=request.pk).update(updated_at=updated)
        request.tell(_("Brought over from the earlier studio."))


def shared_values(row: Row) -> dict[str, Any]:
    """Return what a picture and its wish have in common."""
    prompt, size, model = text(row, "prompt"), text(row, "size", 20), text(row, "model_used", 100)
    return {
        "prompt": prompt,
        "prompt_hash": hash_of(
            prompt=prompt, model=model, size=size or "auto", quality="auto", background="auto", output_format="png"
        ),
        "title": text(row, "title", 255),
        "tags": text(row, "tags"),
    }


def request_values(pk: uuid.UUID, row: Row, shared: dict[str, Any], created: datetime) -> dict[str, Any]:
    """Return the wish as we keep it: done, and paid for in the earlier studio."""
    earlier = {name: text(row, name) for name in ("filename", "file_path", "local_url", "prompt_hash")}
    return shared | {
        "task_id": f"earlier-{pk.hex}",
        "status": Status.SUCCESS,
        "phase": Phase.ENDED,
        "charge": Charge.YES,
        "next_poll_at": None,
        "model": text(row, "model_used", 100),
        "size": text(row, "size", 20) or "auto",
        "openai_response": {"earlier": earlier},
        "queued_at": created,
        "created_at": created,
        "completed_at": created,
    }
