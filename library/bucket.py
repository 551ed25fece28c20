"""Media in a bucket: S3, or what speaks its language. Only MEDIA_S3_BUCKET has Django load this module.

What goes wrong is told as a disk would tell it, so that whoever keeps or reads files need not know where they lie.
"""

import base64
import contextlib
import errno
import hashlib
import io
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody
from django.core.exceptions import SuspiciousFileOperation, SuspiciousOperation
from django.core.files.base import File
from django.utils.translation import gettext as _
from storages.backends.s3 import S3Storage
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

from library.storage import StorageAwayError

READ_AHEAD = 256 * 1024  # bytes
CONNECTIONS = 64  # kept for the next request: as many as threads may send files at once
FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}


class BucketStorage(S3Storage):  # type: ignore[misc]  # which has no types
    """Private objects in one bucket, below a prefix. None is ever overwritten."""

    def __init__(self, *, seconds: tuple[float, float] = (5.0, 30.0), tries: int = 2, **options: Any) -> None:
        """Take the names of the bucket and its keys. `seconds` to connect, and without a byte; `tries` per request."""
        config = Config(
            connect_timeout=seconds[0],
            read_timeout=seconds[1],
            retries={"mode": "standard", "total_max_attempts": tries},
            max_pool_connections=CONNECTIONS,
            # By its name in the path: a server of one's own seldom has a host for each bucket.
            s3={"addressing_style": "path" if options.get("endpoint_url") else "auto"},
            signature_version="s3v4",
            # The checksums that only Amazon's own S3 knows. Content-MD5 is known everywhere.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # Our keys and nothing else that may stand in the environment.
        own = {"security_token": None, "session_profile": None, "default_acl": None, "file_overwrite": False}
        super().__init__(client_config=config, **own, **options)
        self._made: tuple[int, Any] = (0, None)

    @property
    def client(self) -> Any:
        """Return the client of this process, which its threads share: each of its own would take 13 MB."""
        process, client = self._made
        if process != os.getpid():  # never the connections of the process that we were forked from
            session = boto3.session.Session(self.access_key, self.secret_key, region_name=self.region_name)
            client = session.client("s3", endpoint_url=self.endpoint_url, config=self.client_config)
            self._made = (os.getpid(), client)
        return client

    def key_of(self, name: str) -> str:
        """Return the name of a file in the bucket. Raises SuspiciousFileOperation if it leads out of the prefix."""
        try:
            return str(self._normalize_name(clean_name(name)))
        except SuspiciousOperation as error:
            raise SuspiciousFileOperation(str(error)) from error

    def _open(self, name: str, mode: str = "rb") -> "BucketFile":
        if mode != "rb":
            raise ValueError("Files in the bucket are only read.")
        return BucketFile(_Reader(self, name, self.size(name)), name)

    def _save(self, name: str, content: "File[bytes]") -> str:
        """Upload a file in one request, so that it is there whole or not at all. The bucket compares its MD5."""
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in content.chunks():
            digest.update(chunk)
        content.seek(0)
        where = {"Bucket": self.bucket_name, "Key": self.key_of(name)}
        checksum = base64.b64encode(digest.digest()).decode("ascii")
        try:
            with told_as_a_disk_would():
                self.client.put_object(
                    Body=content, ContentMD5=checksum, **where, **self._get_write_parameters(name, content)
                )
        except OSError:
            # It may have arrived though nobody said so.
            with contextlib.suppress(OSError), told_as_a_disk_would():
                self.client.delete_object(**where)
            raise
        return name

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone already is no error."""
        with told_as_a_disk_would():
            self.client.delete_object(Bucket=self.bucket_name, Key=self.key_of(name))

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        try:
            self._head(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """Return how long a file is, in bytes."""
        return int(self._head(name)["ContentLength"])

    def get_modified_time(self, name: str) -> datetime:
        """Return when a file was stored."""
        modified: datetime = self._head(name)["LastModified"]
        return modified

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of the folders and of the files in a folder."""
        folders, files = self.scan(path)
        return folders, [name for name, _size, _modified in files]

    def scan(self, path: str) -> tuple[list[str], list[tuple[str, int, datetime]]]:
        """Return the folders in a folder, and its files with size and time: a thousand of them a request."""
        prefix = (self.key_of(path).rstrip("/") + "/").lstrip("/")
        folders: list[str] = []
        files: list[tuple[str, int, datetime]] = []
        with told_as_a_disk_would():
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=prefix, Delimiter="/"):
                folders += [each["Prefix"][len(prefix) : -1] for each in page.get("CommonPrefixes", ())]
                files += [
                    (each["Key"][len(prefix) :], each["Size"], each["LastModified"])
                    for each in page.get("Contents", ())
                    if each["Key"] != prefix
                ]
        return folders, files

    def read(self, name: str, start: int, end: int) -> StreamingBody:
        """Ask for the bytes of a file from `start` up to, but not including, `end`."""
        with told_as_a_disk_would():
            answer = self.client.get_object(
                Bucket=self.bucket_name, Key=self.key_of(name), Range=f"bytes={start}-{end - 1}"
            )
        body: StreamingBody = answer["Body"]
        return body

    def _head(self, name: str) -> dict[str, Any]:
        with told_as_a_disk_would():
            try:
                answer: dict[str, Any] = self.client.head_object(Bucket=self.bucket_name, Key=self.key_of(name))
            except ClientError as error:
                # This answer has no words: it may be the whole bucket that is missing.
                if status_of(error) == 404:
                    self.client.list_objects_v2(Bucket=self.bucket_name, MaxKeys=1)
                raise
        return answer


class BucketFile(File):  # type: ignore[type-arg]  # File[bytes] is for checkers alone
    """A file in the bucket. Nothing is asked for before it is read, and no more than a piece of it is in memory."""

    def __init__(self, reader: "_Reader", name: str) -> None:
        super().__init__(io.BufferedReader(reader, READ_AHEAD), name)
        self._reader = reader

    def stop_at(self, end: int) -> None:
        """Say that only what comes before `end` will be read, so that the bucket is not asked for the rest."""
        self._reader.end = end


class _Reader(io.RawIOBase):
    """The bytes of a file, asked for from where it is read up to its end. A stream that breaks is taken up once."""

    def __init__(self, storage: BucketStorage, name: str, size: int) -> None:
        super().__init__()
        self._storage = storage
        self._name = name
        self._size = self.end = size
        self._position = 0
        self._stream: StreamingBody | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if position != self._position:
            self._let_go()
            self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def readinto(self, target: Any) -> int:
        length = min(len(target), self.end - self._position)
        if length <= 0:
            return 0
        try:
            content = self._receive(length)
        except StorageAwayError:
            content = self._receive(length)
        target[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _receive(self, length: int) -> bytes:
        try:
            self._stream = self._stream or self._storage.read(self._name, self._position, self.end)
            with told_as_a_disk_would():
                content: bytes = self._stream.read(length)
            if not content:
                raise away(_("the bucket has broken off"))
        except OSError:
            self._let_go()
            raise
        return content

    def _let_go(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def close(self) -> None:
        self._let_go()
        super().close()


@contextlib.contextmanager
def told_as_a_disk_would() -> Iterator[None]:
    """Turn what the bucket or the way to it says into an OSError."""
    try:
        yield
    except ClientError as error:
        raise refusal(error) from error
    except (BotoCoreError, HTTPError, ConnectionError, TimeoutError) as error:
        raise away(_("the bucket does not answer")) from error


def refusal(error: ClientError) -> OSError:
    """Return what a disk would say in place of the bucket."""
    code, status = str(error.response.get("Error", {}).get("Code", "")), status_of(error)
    if code == "NoSuchBucket":
        return away(_("there is no such bucket"))
    if code in FULL or status == 507:
        return OSError(errno.ENOSPC, _("the bucket is full"))
    if status == 404:
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if status in {401, 403}:
        return away(_("the bucket does not let us in"))
    return away(_("the bucket has a problem (HTTP %(status)s)") % {"status": status})


def away(why: str) -> StorageAwayError:
    """Return the error of a bucket that cannot be used now."""
    return StorageAwayError(errno.EIO, why)


def status_of(error: ClientError) -> int:
    """Return the HTTP status of a refusal."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
