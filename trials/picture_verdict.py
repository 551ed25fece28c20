"""What must be true of pictures after a trial: each is home whole, or its request says that its fate is uncertain."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image

from trials.studio import Profile, key_of
from trials.verdict import Verdict, judge_wishes, most_at_once

REQUESTS = 'SELECT id, prompt, status, phase, charge, error_message, "count" AS wanted FROM image_requests'
PICTURES = (
    "SELECT request_id, format, width, height, bytes, sha256, file_path, thumb_320, thumb_640 FROM generated_images"
)
SIDES = (320, 640)


def judge_pictures(
    verdict: Verdict, profile: Profile, wishes: Mapping[UUID, str], ledger: Sequence[dict[str, Any]], limit: int
) -> None:
    """Compare rows, files and ledger. `wishes` is what was promised: the id of each request and its unique prompt."""
    requests = {key_of(row["id"]): row for row in profile.rows(REQUESTS)}
    judge_wishes(verdict, requests, wishes, "pictures")
    judge_taken(verdict, requests, ledger, limit)
    judge_files(verdict, requests, profile)


def judge_taken(
    verdict: Verdict, requests: Mapping[UUID, dict[str, Any]], ledger: Sequence[dict[str, Any]], limit: int
) -> None:
    """No picture was asked for twice, a done one was asked for once, and never more at once than the limit."""
    taken = Counter(entry["prompt"] for entry in ledger)
    known = {request["prompt"] for request in requests.values()}
    for prompt, times in taken.items():
        verdict.must(times == 1, f"{prompt}: asked for {times} times.")
        verdict.must(prompt in known, f"{prompt}: asked for, but there is no row.")
    for request in requests.values():
        is_done = request["status"] == "SUCCESS"
        verdict.must(not is_done or request["prompt"] in taken, f"{request['prompt']}: done, but not in the ledger.")
    most = most_at_once(ledger)
    verdict.must(most <= limit, f"{most} pictures at once at the provider, with a limit of {limit}.")
    lost = [row for row in requests.values() if row["phase"] == "uncertain" and row["prompt"] in taken]
    verdict.figures["pictures: uncertain, taken by the mock"] = len(lost)
    verdict.figures["pictures: asked for, in the ledger"] = len(ledger)
    verdict.figures["pictures: asked for twice"] = sum(times > 1 for times in taken.values())
    verdict.figures["pictures: most at once"] = f"{most} of {limit}"


def judge_files(verdict: Verdict, requests: Mapping[UUID, dict[str, Any]], profile: Profile) -> None:
    """Every picture of every request that is done is there, is what the row says, and can be shown, small ones too."""
    media = profile.data_dir / "media"
    pictures = profile.rows(PICTURES)
    per_request = Counter(key_of(row["request_id"]) for row in pictures)
    for key, request in requests.items():
        expected = request["wanted"] if request["status"] == "SUCCESS" else 0
        found = per_request[key]
        verdict.must(found == expected, f"{request['prompt']}: {found} pictures instead of {expected}.")
    for row in pictures:
        why = damage(media, row)
        verdict.must(not why, f"{requests[key_of(row['request_id'])]['prompt']}: {why}.")
    names = {row[column] for row in pictures for column in ("file_path", "thumb_320", "thumb_640")}
    stored = [path for folder in ("images", "thumbs") for path in (media / folder).rglob("*") if path.is_file()]
    verdict.figures["pictures: files checked, small ones included"] = 3 * len(pictures)
    verdict.figures["pictures: files without a row"] = sum(str(path.relative_to(media)) not in names for path in stored)


def damage(media: Path, row: Mapping[str, Any]) -> str:
    """Return what is wrong with a picture's files, if anything."""
    name = row["file_path"]
    path = media / name
    if not path.is_file():
        return f"{name} is not there"
    content = path.read_bytes()
    if len(content) != row["bytes"]:
        return f"{name} has {len(content)} bytes instead of {row['bytes']}"
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        return f"{name} has another sha256"
    if shown(path) != (row["format"].upper(), row["width"], row["height"]):
        return f"{name} is {shown(path)}, not what the row says"
    for side in SIDES:
        small = shown(media / row[f"thumb_{side}"])
        if small is None or small[0] != "WEBP" or max(small[1:]) != side:
            return f"the small version of {side} pixels is {small}"
    return ""


def shown(path: Path) -> tuple[str, int, int] | None:
    """Return format, width and height of a picture after every pixel of it was unpacked; None if that is impossible."""
    try:
        with Image.open(path) as picture:
            picture.load()
            return str(picture.format), picture.width, picture.height
    except (OSError, SyntaxError, ValueError):
        return None
