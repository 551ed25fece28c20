"""Make a database as the earlier system left it (Flask, SQLAlchemy, bcrypt), with its folder of pictures.

    python -m trials.earlier --database-url postgres://postgres@127.0.0.1:5432/earlier --images /tmp/earlier-images

Then, with the studio's own settings: manage.py import_legacy --database-url ... --images ...
"""

import argparse
import io
import json
import random
import sqlite3
import sys
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bcrypt
import psycopg
from PIL import Image

TABLES = {
    "users": "id INTEGER PRIMARY KEY, username VARCHAR(80), email VARCHAR(120), password_hash VARCHAR(128), "
    "is_admin BOOLEAN, is_active BOOLEAN, created_at TIMESTAMP, last_login TIMESTAMP",
    "songs": "id UUID PRIMARY KEY, task_id VARCHAR(255) UNIQUE, job_id VARCHAR(255), lyrics TEXT, prompt TEXT, "
    "model VARCHAR(100), title VARCHAR(500), tags VARCHAR(1000), workflow VARCHAR(50), status VARCHAR(50), "
    "progress_info JSON, error_message TEXT, mureka_response TEXT, mureka_status VARCHAR(100), "
    "is_instrumental BOOLEAN, created_at TIMESTAMP, updated_at TIMESTAMP, completed_at TIMESTAMP",
    "song_choices": "id UUID PRIMARY KEY, song_id UUID REFERENCES songs (id), mureka_choice_id VARCHAR(255), "
    "choice_index INTEGER, mp3_url VARCHAR(1000), flac_url VARCHAR(1000), video_url VARCHAR(1000), "
    "image_url VARCHAR(1000), duration FLOAT, title VARCHAR(500), tags VARCHAR(1000), rating INTEGER, "
    "created_at TIMESTAMP, updated_at TIMESTAMP",
    "generated_images": "id UUID PRIMARY KEY, prompt TEXT, size VARCHAR(20), filename VARCHAR(255) UNIQUE, "
    "file_path VARCHAR(500), local_url VARCHAR(500), model_used VARCHAR(100), prompt_hash VARCHAR(32), "
    "title VARCHAR(255), tags TEXT, created_at TIMESTAMP, updated_at TIMESTAMP",
    "prompt_templates": "id INTEGER PRIMARY KEY, category VARCHAR(50), action VARCHAR(50), pre_condition TEXT, "
    "post_condition TEXT, description TEXT, version VARCHAR(10), model VARCHAR(50), temperature FLOAT, "
    "max_tokens INTEGER, active BOOLEAN, created_at TIMESTAMP, updated_at TIMESTAMP",
}
STATUSES = ["SUCCESS"] * 90 + ["FAILURE"] * 6 + ["PENDING", "PROGRESS", "CANCELLED", "REVOKED"]
WORDS = ("rain", "harbour", "lantern", "winter", "copper", "paper", "river", "morning", "glass", "northern")


@dataclass
class Earlier:
    """What was made, for whoever compares."""

    passwords: dict[str, str]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def make(
    database_url: str,
    images: Path,
    *,
    songs: int = 1000,
    pictures: int = 500,
    users: int = 5,
    missing: int = 0,
    broken: int = 0,
    rounds: int = 12,
    link_base: str = "https://cdn.mureka.ai",
    seed: int = 7,
) -> Earlier:
    """Make the database anew, and the files. Of the pictures, `missing` have no file and `broken` a damaged one."""
    dice = random.Random(seed)  # noqa: S311  the same every time, on purpose
    passwords = {
        f"person{number}": f"{dice.choice(WORDS)} {dice.choice(WORDS)} {number}" for number in range(1, users + 1)
    }
    earlier = Earlier(passwords)
    earlier.rows["users"] = [user_row(number, *pair, rounds) for number, pair in enumerate(passwords.items(), start=1)]
    earlier.rows["songs"] = [song_row(number, dice) for number in range(songs)]
    earlier.rows["song_choices"] = [
        choice_row(song, index, link_base, dice) for song in earlier.rows["songs"] for index in range(2)
    ]
    images.mkdir(parents=True, exist_ok=True)
    earlier.rows["generated_images"] = [picture_row(number, images, dice) for number in range(pictures)]
    for row in earlier.rows["generated_images"][:missing]:
        (images / row["filename"]).unlink()
    for row in earlier.rows["generated_images"][missing : missing + broken]:
        (images / row["filename"]).write_bytes(b"\x89PNG\r\n\x1a\nhalf a picture")
    earlier.rows["prompt_templates"] = template_rows()
    write(database_url, earlier.rows)
    return earlier


def naive(moment: datetime) -> datetime:
    """Return the time as the earlier system wrote it: in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def some_time_ago(dice: random.Random) -> datetime:
    """Return a time of the last two years."""
    return naive(datetime.now(UTC) - timedelta(seconds=dice.randrange(3600, 730 * 86_400)))


def user_row(number: int, name: str, password: str, rounds: int) -> dict[str, Any]:
    """Make a person; the first one managed the studio."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()
    return {
        "id": number, "username": name, "email": f"{name}@example.org", "password_hash": hashed,
        "is_admin": number == 1, "is_active": True, "created_at": datetime(2024, 1, number % 28 + 1, 12),  # noqa: DTZ001
        "last_login": None,
    }  # fmt: skip


def song_row(number: int, dice: random.Random) -> dict[str, Any]:
    """Make a song in some state."""
    status, created = dice.choice(STATUSES), some_time_ago(dice)
    has_job = status not in {"PENDING", "CANCELLED", "REVOKED"}
    words = " ".join(dice.choices(WORDS, k=4))
    return {
        "id": uuid.UUID(int=dice.getrandbits(128), version=4), "task_id": f"celery-{number}",
        "job_id": f"earlier-job-{number}" if has_job else None, "lyrics": f"[Verse]\n{words}\n[Chorus]\n{words} ♫",
        "prompt": f"{dice.choice(WORDS)} folk, guitar", "model": dice.choice(["auto", "mureka-7.6", "chirp-v3-5"]),
        "title": f"{words.title()} {number}", "tags": "folk, old",
        "workflow": dice.choice(["onWork", "inUse", "notUsed"]),
        "status": status, "progress_info": json.dumps({"progress": 100}),
        "error_message": "Mureka said no." if status == "FAILURE" else None,
        "mureka_response": json.dumps({"id": f"earlier-job-{number}", "choices": [{}, {}]}) if has_job else None,
        "mureka_status": "succeeded" if status == "SUCCESS" else None, "is_instrumental": number % 10 == 0,
        "created_at": created, "updated_at": created + timedelta(minutes=3),
        "completed_at": created + timedelta(minutes=2) if status == "SUCCESS" else None,
    }  # fmt: skip


def choice_row(song: dict[str, Any], index: int, link_base: str, dice: random.Random) -> dict[str, Any]:
    """Make a variant of a song, with its links."""
    pk = uuid.UUID(int=dice.getrandbits(128), version=4)
    return {
        "id": pk, "song_id": song["id"], "mureka_choice_id": f"choice-{pk.hex[:8]}", "choice_index": index,
        "mp3_url": f"{link_base}/{pk.hex}.mp3", "flac_url": f"{link_base}/{pk.hex}.flac", "video_url": None,
        "image_url": None, "duration": float(dice.randrange(60_000, 240_000)), "title": song["title"], "tags": "folk",
        "rating": dice.choice([None, 0, 1]), "created_at": song["created_at"], "updated_at": song["updated_at"],
    }  # fmt: skip


def picture_row(number: int, images: Path, dice: random.Random) -> dict[str, Any]:
    """Make a picture and its file."""
    kind = ("png", "jpeg", "webp")[number % 3]
    pk = uuid.UUID(int=dice.getrandbits(128), version=4)
    filename, created = f"{pk.hex}.{kind}", some_time_ago(dice)
    content = io.BytesIO()
    colours = [tuple(dice.randrange(256) for _ in range(3)) for _ in range(2)]
    with Image.new("RGB", (384, 256), colours[0]) as picture:
        picture.paste(colours[1], (40, 30, 40 + dice.randrange(50, 300), 200))
        picture.save(content, kind.upper())
    (images / filename).write_bytes(content.getvalue())
    return {
        "id": pk, "prompt": f"a {dice.choice(WORDS)} {dice.choice(WORDS)}, number {number}", "size": "1024x1024",
        "filename": filename, "file_path": f"/app/static/images/{filename}", "local_url": f"/static/images/{filename}",
        "model_used": "dall-e-3", "prompt_hash": f"{number:032x}", "title": f"Picture {number}", "tags": "old",
        "created_at": created, "updated_at": created,
    }  # fmt: skip


def template_rows() -> list[dict[str, Any]]:
    """Make the templates: one that ours has too, in two versions, and one that ours does not have."""
    moment = datetime(2024, 5, 1, 12)  # noqa: DTZ001  as the earlier system wrote it
    shared = {"model": "llama3.2", "temperature": 0.8, "max_tokens": 1000, "created_at": moment, "updated_at": moment}
    named = [
        ("lyrics", "enhance", "1.0", False, "Make it better:"),
        ("lyrics", "enhance", "1.1", True, "Make it sing:"),
        ("harbour", "praise", "1.0", True, "Praise the harbour:"),
    ]
    return [
        {"id": number, "category": category, "action": action, "version": version, "active": active,
         "pre_condition": before, "post_condition": "", "description": "Of old", **shared}
        for number, (category, action, version, active, before) in enumerate(named, start=1)
    ]  # fmt: skip


def write(database_url: str, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Write the tables anew."""
    if "://" in database_url and not database_url.startswith("sqlite"):
        write_postgres(database_url, rows)
    else:
        write_sqlite(Path(database_url.partition(":///")[2] or database_url), rows)


def write_postgres(database_url: str, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Write the tables of a database that exists."""
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        for table in reversed(TABLES):
            cursor.execute(f"DROP TABLE IF EXISTS {table} CASCADE".encode())
        for table, columns in TABLES.items():
            cursor.execute(f"CREATE TABLE {table} ({columns})".encode())
            names, values = table_values(rows[table])
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})".encode(), values)  # noqa: S608


def write_sqlite(path: Path, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Write a file."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
            names, values = table_values(rows[table])
            marks = ", ".join(["?"] * len(names))
            plain = ([as_text(value) for value in row] for row in values)
            connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", plain)  # noqa: S608
        connection.commit()


def table_values(rows: Sequence[dict[str, Any]]) -> tuple[list[str], Iterable[list[Any]]]:
    """Return the columns of rows, and their values."""
    return list(rows[0]) if rows else ["id"], [list(row.values()) for row in rows]


def as_text(value: Any) -> Any:
    """Return a value as SQLAlchemy writes it into SQLite: UUIDs without dashes, times as text."""
    if isinstance(value, uuid.UUID):
        return value.hex
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value


def main() -> int:
    """Make it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--images", type=Path, required=True)
    for name, default in (("songs", 1000), ("pictures", 500), ("users", 5), ("missing", 0), ("broken", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--link-base", default="https://cdn.mureka.ai", help="where the links of the songs lead")
    options = vars(parser.parse_args())
    earlier = make(options.pop("database_url"), options.pop("images"), **options)
    for table, rows in earlier.rows.items():
        print(f"{table}: {len(rows)}")  # noqa: T201  a program for a terminal
    for name, password in earlier.passwords.items():
        print(f"sign in as {name} with: {password}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
