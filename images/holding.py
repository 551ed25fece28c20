"""Which files pictures have, for whoever looks after all files of the studio."""

import io
from collections.abc import Iterator

from django.core.files.storage import default_storage

from images.keeping import BYTES_LIMIT, SIDES
from images.models import GeneratedImage, ImageRequest
from library import holdings, pictures, storage
from library.holdings import Held, Holder
from library.pictures import NotAPictureError

THUMBS = {f"thumb_{side}": side for side in SIDES}  # by column


class PictureHolder(Holder):
    """Pictures and their small versions."""

    model = GeneratedImage

    def held(self, using: str) -> Iterator[Held]:
        """Return every picture and every small version."""
        columns = ("pk", "file_path", "sha256", "bytes", *THUMBS)
        rows = GeneratedImage.objects.using(using).order_by("pk").values_list(*columns)
        for pk, name, sha256, size, *thumbs in rows.iterator(chunk_size=1000):
            yield Held(self.label, pk, "file_path", name, sha256, size)
            for column, thumb in zip(THUMBS, thumbs, strict=True):
                if thumb:
                    yield Held(self.label, pk, column, thumb)

    def make_again(self, held: Held) -> bool:
        """Make a small version anew from the picture, if that one is whole."""
        image = GeneratedImage.objects.filter(pk=held.pk).first()
        if image is None or held.column not in THUMBS:
            return False
        side = THUMBS[held.column]
        try:
            with default_storage.open(image.file_path, "rb") as file:
                small = pictures.thumbnails(io.BytesIO(file.read()), (side,))[side]
        except (OSError, NotAPictureError):
            return False
        made = storage.store([small], folder="thumbs", suffix="webp", kind="webp", max_bytes=BYTES_LIMIT)
        rows = GeneratedImage.objects.filter(pk=held.pk, **{held.column: held.name})
        if rows.update(**{held.column: made.name}):
            return True
        storage.delete([made.name])
        return False


class ReferenceHolder(Holder):
    """Pictures that requests were made from, which people may have sent."""

    model = ImageRequest

    def held(self, using: str) -> Iterator[Held]:
        """Return every reference picture and every mask."""
        rows = ImageRequest.objects.using(using).order_by("pk").values_list("pk", "references", "mask")
        for pk, references, mask in rows.iterator(chunk_size=1000):
            for name in references or ():
                yield Held(self.label, pk, "references", str(name))
            if mask:
                yield Held(self.label, pk, "mask", mask)


def register() -> None:
    """Tell that pictures have files."""
    holdings.register(PictureHolder())
    holdings.register(ReferenceHolder())
