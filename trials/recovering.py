"""What a backup and the way back cost: `python -m trials.bench backup --backup-songs 10000 --backup-gb 5`."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from trials.stage import Figure
from trials.studio import ROOT, SECRET_KEY, Profile, clean_environment, fresh_profile

GIGABYTE = 1000**3


def figures(name: str, servers: Mapping[str, str], *, songs: int, gigabytes: float) -> list[Figure]:
    """Measure backup, a second one, verification and restore of a library of so many songs and so much media."""
    folder = Path(tempfile.mkdtemp(prefix=f"macai-bench-backup-{name}-"))
    settings = {"BACKUP_DIR": str(folder / "backups"), "SECRET_KEY": SECRET_KEY}
    try:
        profile = fresh_profile(name, folder / "data", database="macai_bench", **servers)
        run(profile, settings, "manage.py", "migrate", "-v0")
        run(profile, settings, "-m", "trials.inside", "fill", str(songs))
        run(profile, settings, "-m", "trials.inside", "media", str(int(gigabytes * GIGABYTE)))
        what = f"{songs:,} songs, {gigabytes:g} GB"
        costs = {
            f"Backup of {what}": run(profile, settings, "manage.py", "backup"),
            "Backup again, nothing changed": run(profile, settings, "manage.py", "backup"),
            "Verification": run(profile, settings, "manage.py", "verify_backup"),
        }
        size = sum(path.stat().st_size for path in (folder / "backups").rglob("*") if path.is_file())
        media = sum(path.stat().st_size for path in (profile.data_dir / "media").rglob("*") if path.is_file())
        shutil.rmtree(profile.data_dir)
        empty = fresh_profile(name, profile.data_dir, database="macai_bench", **servers)
        costs["Restore onto an empty machine"] = run(empty, settings, "manage.py", "restore")
        found = [Figure(label, name, cost, os.getloadavg()[0]) for label, cost in costs.items()]
        text = f"{size / GIGABYTE:.2f} GB for {media / GIGABYTE:.2f} GB of files and the rows"
        return [*found, Figure("Folder with both backups", name, text, os.getloadavg()[0])]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(profile: Profile, settings: Mapping[str, str], *command: str) -> str:
    """Run Python with the studio's settings. Return how long it took and how much memory at most.

    Raises:
        RuntimeError: it failed, with what it said.
    """
    environment = {**clean_environment(), **profile.environment, **settings, "DATA_DIR": str(profile.data_dir)}
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=said, stderr=said)  # noqa: S603  the command is ours
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{text}")
    return f"{seconds:.1f} s, {usage.ru_maxrss / 1024:.0f} MB at most"
