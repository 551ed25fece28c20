"""Pictures to work from, uploaded: judged by their content, refused in plain words, never named by their sender."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from accounts.tests.clients import make_api_client
from images import services
from images.tests.factories import picture_file

pytestmark = pytest.mark.django_db
UPLOADS = "/api/v1/images/uploads/"
NO_PICTURE = "This is not a PNG, JPEG or WebP picture."


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


def upload(api: APIClient, content: bytes, name: str = "a.png", **more: Any) -> Any:
    file = SimpleUploadedFile(name, content, content_type="image/png")
    return api.post(UPLOADS, {"file": file, **more}, format="multipart")


def zip_bomb() -> bytes:
    """Return an archive of 200 MB of nothing."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.png", "w") as entry:
        for _megabyte in range(200):
            entry.write(bytes(1024 * 1024))
    return file.getvalue()


def bomb() -> bytes:
    file = io.BytesIO()
    Image.new("1", (10_000, 5_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_kept_and_can_be_worked_from(api: APIClient, kind: str) -> None:
    answer = upload(api, picture_file(kind=kind))
    assert answer.status_code == 201
    name = answer.json()["id"]
    assert name.startswith("uploads/")
    assert name.endswith(f".{kind.lower()}"), "named by what it is, not by what it was called"
    wish = {"prompt": "The same at night", "reference_ids": [name]}
    row = api.post("/api/v1/images/", wish, headers={"Prefer": "respond-async"}).json()
    assert row["reference_ids"] == [name]


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..\\..\\a.png", "/etc/passwd.png", "a\x00.png", "x" * 5000])
def test_the_name_that_a_file_is_sent_under_is_not_used(api: APIClient, name: str, media: Path) -> None:
    answer = upload(api, picture_file(), name)
    if answer.status_code == 201:
        assert services.UPLOAD_NAME.fullmatch(answer.json()["id"])
    else:
        assert (answer.status_code, list(answer.json())) == (400, ["file"])
    stored = [path for path in media.parent.rglob("*") if path.is_file()]
    assert all(media / "uploads" in path.parents for path in stored)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', NO_PICTURE),
        (zip_bomb(), NO_PICTURE),
        (bomb(), "The picture has too many pixels."),
        (b"\x89PNG\r\n\x1a\n<script>", NO_PICTURE),
        (picture_file((300, 300))[:200], NO_PICTURE),
        (b"", "The submitted file is empty."),
    ],
    ids=["svg", "zip bomb", "50 megapixels", "png in name", "cut off", "empty"],
)
def test_what_is_no_picture_of_ours_is_refused(api: APIClient, content: bytes, sentence: str, media: Path) -> None:
    answer = upload(api, content)
    assert (answer.status_code, answer.json()) == (400, {"file": [sentence]})
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_file_of_100_mb_is_refused_before_it_is_read(api: APIClient) -> None:
    answer = api.generic(
        "POST", UPLOADS, "x", content_type="multipart/form-data; boundary=b", CONTENT_LENGTH=str(100 * 1024**2)
    )
    assert (answer.status_code, answer.json()) == (400, {"file": ["At most 50 MB."]})


def test_a_file_above_the_limit_is_refused(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    content = picture_file()
    monkeypatch.setattr(services, "UPLOAD_LIMIT", len(content) - 1)
    answer = upload(api, content)
    assert (answer.status_code, list(answer.json())) == (400, ["file"])


def test_a_mask_is_a_png_that_can_be_transparent(api: APIClient) -> None:
    for content in (picture_file(), picture_file(kind="WEBP", mode="RGBA", colour=(1, 1, 1, 0))):
        answer = upload(api, content, is_mask="true")
        assert (answer.status_code, answer.json()) == (400, {"file": ["A mask is a PNG with transparent parts."]})
    mask = upload(api, picture_file(mode="RGBA", colour=(1, 1, 1, 0)), is_mask="true").json()["id"]
    photo = upload(api, picture_file()).json()["id"]
    wish = {"prompt": "A hat", "reference_ids": [photo], "mask_id": mask}
    assert api.post("/api/v1/images/", wish, headers={"Prefer": "respond-async"}).json()["mask_id"] == mask
    assert default_storage.exists(mask)
    alone = api.post("/api/v1/images/", {"prompt": "A hat", "mask_id": mask}, headers={"Prefer": "respond-async"})
    assert (alone.status_code, list(alone.json())) == (400, ["mask_id"])


def test_an_upload_without_a_file_is_refused(api: APIClient) -> None:
    for body in ({}, {"file": "text"}):
        answer = api.post(UPLOADS, body, format="multipart")
        assert (answer.status_code, list(answer.json())) == (400, ["file"])
    assert api.post(UPLOADS, {"file": "x"}, format="json").status_code == 415
