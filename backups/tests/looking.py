"""What tests look at: the files of a folder and the contents of a backup."""

from pathlib import Path

from backups.entries import read_entries
from backups.manifest import FILES
from backups.store import Store


def contents_of(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder, by its name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def files_in(store: Store, name: str) -> dict[str, bytes]:
    """Return the files of a plain backup, by their names in the library."""
    entries = read_entries(store.folder(name) / FILES)
    return {entry.name: store.object_path(entry.sha256, "").read_bytes() for entry in entries}
