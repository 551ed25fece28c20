"""An S3 of its own for tests, over HTTP on this machine; it notes what it is asked, and fails as it is told to."""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

REFUSAL = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>"
KEYS = {"access_key": "AKIAEXAMPLE", "secret_key": "a-secret-of-the-bucket"}


class Asked(NamedTuple):
    """A request to the bucket, and how many bytes it was answered with."""

    method: str
    path: str
    range: str
    headers: dict[str, str]


@dataclass
class Bucket:
    """A bucket behind HTTP. `refuse` has every request of those methods answered with a status and a code of S3."""

    app: Callable[..., Any]
    name: str = ""
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    sent: int = 0
    refuse: tuple[int, str] | None = None
    refused_methods: str = "GET HEAD PUT DELETE POST"
    break_after: int | None = None  # bytes of one answer, after which its connection is cut

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, as the imitation does or as the test wants."""
        method = environ["REQUEST_METHOD"]
        headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
        self.asked.append(Asked(method, environ["PATH_INFO"], environ.get("HTTP_RANGE", ""), headers))
        if self.refuse and method in self.refused_methods.split():
            status, code = self.refuse
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = b"" if method == "HEAD" else REFUSAL.format(code=code).encode()
            start_response(f"{status} No", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
            return [body]
        return self.counted(self.app(environ, start_response), method)

    def counted(self, chunks: Iterable[bytes], method: str) -> Iterator[bytes]:
        """Pass on in small pieces, so that one knows how much really left."""
        left = self.break_after if method == "GET" else None
        self.break_after = self.break_after if left is None else None
        for chunk in chunks:
            for start in range(0, len(chunk), 65_536):
                piece = chunk[start : start + 65_536]
                if left is not None:
                    left -= len(piece)
                    if left < 0:
                        raise ConnectionResetError
                self.sent += len(piece)
                yield piece

    @property
    def options(self) -> dict[str, Any]:
        """Return how the storage is told of it, as macai/settings.py does; one try, for tests."""
        where = {"bucket_name": self.name, "location": "media", "endpoint_url": self.url, "region_name": "us-east-1"}
        return where | KEYS | {"tries": 1}

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of a studio that uses it."""
        return {
            "MEDIA_S3_BUCKET": self.name,
            "MEDIA_S3_ENDPOINT_URL": self.url,
            "MEDIA_S3_PREFIX": "media",
            "MEDIA_S3_ACCESS_KEY_ID": KEYS["access_key"],
            "MEDIA_S3_SECRET_ACCESS_KEY": KEYS["secret_key"],
        }

    def client(self) -> Any:
        """Return a client that knows nothing of ours."""
        import boto3  # noqa: PLC0415

        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1",
            aws_access_key_id=KEYS["access_key"], aws_secret_access_key=KEYS["secret_key"],
        )  # fmt: skip

    @property
    def keys(self) -> list[str]:
        """Return the names of all objects."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def forget(self) -> None:
        """Begin to note anew."""
        self.asked.clear()
        self.sent = 0

    def verbs(self, *methods: str) -> list[Asked]:
        """Return what was asked by these methods."""
        return [each for each in self.asked if each.method in methods]


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[Bucket]:
    """Serve an imitated S3 in a thread."""
    # Slow to load, and most tests need no bucket.
    from moto.moto_server.werkzeug_app import create_backend_app  # noqa: PLC0415
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415

    class Quiet(WSGIRequestHandler):
        def log(self, *_args: Any, **_kwargs: Any) -> None:
            """Say nothing."""

    bucket = Bucket(create_backend_app("s3"))
    server = make_server("127.0.0.1", 0, bucket, threaded=True, request_handler=Quiet)
    bucket.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield bucket
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(bucket_server: Bucket, settings: Settings) -> Bucket:
    """Keep the media of this test in an empty bucket."""
    served = bucket_server
    served.name, served.refuse, served.break_after = f"macai-{uuid.uuid4().hex}", None, None
    served.refused_methods = Bucket.refused_methods
    served.client().create_bucket(Bucket=served.name)
    use(served, settings)
    served.forget()
    return served


def use(bucket: Bucket, settings: Settings, **changes: Any) -> None:
    """Have the studio use the bucket, told as in `changes`."""
    options = bucket.options | changes
    backend = "library.bucket.BucketStorage"
    settings.MEDIA_S3_BUCKET = bucket.name
    place = {"BACKEND": backend, "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"default": place, "probe": place}
    assert default_storage.bucket_name == options["bucket_name"]  # type: ignore[attr-defined]
