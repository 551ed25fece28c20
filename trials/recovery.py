"""The recovery: `python -m trials.recovery`. A backup while songs run, everything wiped, a restore, and they go on.

Between the backup and the loss the studio goes on, so that songs which waited in the backup have been paid for since:
the restored studio must not pay for them again. The mock runs outside; its ledger says what was submitted.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trials.stage import Stage
from trials.studio import (
    POSTGRES,
    REDIS,
    ROOT,
    SECRET_KEY,
    Client,
    Program,
    fresh_profile,
    key_of,
    ledger_of,
    mock_program,
    owner_settings,
    say,
)

LIMIT = 4  # songs at once at the mock
DONE, RUNNING, WAITING = 4, 4, 6
STATES = "SELECT id, status, phase, problem FROM songs"
GIVE_UP = 180.0  # seconds


class Recovery:
    """One run on one profile."""

    def __init__(self, name: str, options: argparse.Namespace, folder: Path) -> None:
        self.name = name
        self.options = options
        self.folder = folder
        self.backups = folder / "backups"
        self.mock = mock_program(folder, MOCKAPI_CONCURRENT_LIMIT=str(LIMIT), MOCKAPI_AUDIO_SECONDS="2")
        self.failures: list[str] = []

    def studio(self) -> Program:
        """Return a studio on an empty machine."""
        profile = fresh_profile(
            self.name,
            self.folder / "data",
            postgres=self.options.postgres,
            redis_url=self.options.redis,
            database="macai_recovery",
        )
        settings = {
            "BACKUP_DIR": str(self.backups),
            "SECRET_KEY": SECRET_KEY,
            "MUREKA_BASE_URL": f"{self.mock.url}/mock/mureka",
            "MOCKAPI_ENABLED": "false",
        }
        return Program("studio", profile, owner_settings() | settings)

    def manage(self, studio: Program, *command: str) -> str:
        """Run a management command of the studio. Return what it said."""
        done = subprocess.run(  # noqa: S603  the command is ours
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=studio.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def run(self) -> bool:
        """Go through it. Return whether everything held."""
        self.mock.start()
        self.mock.wait_until_healthy("/mock/health")
        studio = self.studio()
        try:
            stage = self.start(studio)
            asked_before = dict(stage.styles)
            kept = hashes(studio.profile.data_dir / "media")
            say(self.manage(studio, "backup").strip())
            before = {key_of(row["id"]): row for row in studio.profile.rows(STATES)}
            # Until songs that waited in the backup have been paid for: the past that is restored must not pay again.
            waited = {key for key, row in before.items() if row["phase"] == "waiting"}
            self.wait(lambda: len(waited & set(stage.ledger())) >= LIMIT // 2, "songs that waited are submitted")
            studio.kill_all()
            shutil.rmtree(studio.profile.data_dir)
            studio = self.studio()
            say(self.manage(studio, "restore").strip())
            self.compare_files(kept, studio)
            studio.start()
            studio.wait_until_healthy("/api/v1/health/live/")
            active = "SELECT count(*) AS n FROM songs WHERE status IN ('PENDING', 'PROGRESS')"
            self.wait(lambda: studio.profile.count(active) == 0, "restored songs end")
            stage = Stage(studio, self.mock, stage.client, styles=asked_before)
            self.judge(before, studio, stage)
            say(self.manage(studio, "verify_backup").strip())
        finally:
            studio.stop(60)
            studio.kill_all()
            self.mock.stop(30)
            self.mock.kill_all()
        for failure in self.failures:
            say(f"FAILED: {failure}")
        return not self.failures

    def start(self, studio: Program) -> Stage:
        """Start a studio in which some songs are done, some run and some wait."""
        studio.start()
        studio.wait_until_healthy("/api/v1/health/live/")
        client = Client(studio.url)
        client.sign_in()
        stage = Stage(studio, self.mock, client)
        stage.warm_up()
        stage.ask_for_many(["pop, 1s"] * DONE)
        stage.wait_until_done(GIVE_UP)
        stage.ask_for_many(["pop, 15s"] * (RUNNING + WAITING))
        running = "SELECT count(*) AS n FROM songs WHERE phase = 'running'"
        self.wait(lambda: studio.profile.count(running) >= LIMIT, "songs run")
        return stage

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something has come true."""
        give_up_at = time.monotonic() + GIVE_UP
        while not condition():
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"It did not come true within {GIVE_UP:.0f} s: {what}.")
            time.sleep(0.5)

    def compare_files(self, kept: dict[str, str], studio: Program) -> None:
        """See that every file is there again, to the byte."""
        found = hashes(studio.profile.data_dir / "media")
        missing = {name for name in kept if found.get(name) != kept[name]}
        if missing:
            self.failures.append(f"{len(missing)} of {len(kept)} files are not what they were.")
        say(f"{len(kept)} files compared.")

    def judge(self, before: Mapping[Any, Mapping[str, Any]], studio: Program, stage: Stage) -> None:
        """Say what became of each song."""
        after = {key_of(row["id"]): row for row in studio.profile.rows(STATES)}
        if set(after) != set(before):
            self.failures.append("The songs are not those of the backup.")
        for key, row in before.items():
            now = after.get(key, {})
            expected = ("FAILURE", "uncertain") if row["status"] == "PENDING" else ("SUCCESS", "ended")
            if (now.get("status"), now.get("phase")) != expected:
                self.failures.append(f"Song {key} was {row['phase']} and is {now.get('status')}, {now.get('phase')}.")
        submitted = Counter(str(entry["prompt"]) for entry in ledger_of(self.mock))
        twice = [prompt for prompt, count in submitted.items() if count > 1]
        if twice:
            self.failures.append(f"{len(twice)} songs were paid for twice.")
        phases = Counter(str(row["phase"]) for row in before.values())
        say(f"In the backup: {dict(phases)}. Now: {dict(Counter(str(row['status']) for row in after.values()))}.")
        say(f"{sum(submitted.values())} songs were submitted, {len(twice)} of them twice.")


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every whole file of a library."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "incoming" not in path.parts
    }


def main(arguments: list[str]) -> int:
    """Run on the profiles asked for. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trials.recovery", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--postgres", default=POSTGRES, help="the database macai_recovery on it is made anew")
    parser.add_argument("--redis", default=REDIS, help="it is emptied")
    options = parser.parse_args(arguments)
    held = True
    for name in ["sqlite", "postgres"] if options.database == "both" else [options.database]:
        folder = Path(tempfile.mkdtemp(prefix=f"macai-recovery-{name}-"))
        say(f"\n=== {name}")
        is_held = Recovery(name, options, folder).run()
        held = held and is_held
        if is_held:
            shutil.rmtree(folder)
        say("Held." if is_held else f"Did not hold; the logs are in {folder}.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
