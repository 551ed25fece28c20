"""The kill test: `python -m trials.chaos`. Processes are killed while songs and pictures are made, then it is counted.

The mock runs outside and is never killed; its ledger says what was really submitted, and paid for.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import requests

from trials.picture_verdict import judge_pictures
from trials.roles import Observer, role_of
from trials.studio import (
    POSTGRES,
    REDIS,
    Client,
    Profile,
    Program,
    fresh_profile,
    ledger_of,
    mock_program,
    owner_settings,
    processes_on,
    say,
)
from trials.verdict import Verdict, judge
from trials.wire import Wire
from trials.wishes import PICTURE, SONG, Wish, picture, song

LIMIT = 10  # songs at once at the mock
PICTURES_LIMIT = 4  # pictures at once: images.tasks.ImageKind.at_once
HURRY_EVERY = 2.0  # seconds
SETTLE_SECONDS = 600.0  # how long the jobs may take to end after the last kill
REQUEST_SECONDS = 180.0  # how long a client tries to get its wish accepted
LONGEST_STOP = 60.0  # seconds
SETTINGS = {
    # An uncertain song keeps its turn for the longest real job, so that the provider's limit is never exceeded. Here
    # songs take seconds, and ten uncertain ones would stop everything for ten minutes.
    "MUREKA_SLOT_SECONDS": "30",
    "WATCHDOG_SECONDS": "5",
    "LOG_LEVEL": "INFO",
}
AMBUSH_EVERY = 10  # wishes of a kind
TABLES = ("songs", "image_requests")
ACTIVE = "SELECT count(*) AS n FROM {} WHERE status IN ('PENDING', 'PROGRESS')"
# How often each kind of process is the one that is hit, among those that are alive.
WEIGHTS = {
    "worker": 25,
    "follower": 25,
    "web process": 15,
    "web master": 8,
    "pusher": 6,
    "monitor": 6,
    "sentinel": 6,
    "qcluster": 6,
    "supervisor": 4,
}


class Trial:
    """One run on one profile."""

    def __init__(self, profile: Profile, options: argparse.Namespace) -> None:
        self.options = options
        self.random = random.Random(options.seed)  # noqa: S311  reproducible, guards nothing
        audio = {"MOCKAPI_CONCURRENT_LIMIT": str(LIMIT), "MOCKAPI_AUDIO_SECONDS": "2"}
        self.mock = mock_program(profile.data_dir.parent, **audio)
        self.wire = Wire(self.mock.port, options.seed)
        outside = f"http://127.0.0.1:{self.wire.port}/mock"
        providers = {"MUREKA_BASE_URL": f"{outside}/mureka", "OPENAI_BASE_URL": f"{outside}/openai/v1"}
        settings = SETTINGS | owner_settings() | providers | {"MOCKAPI_ENABLED": "false"}
        self.studio = Program("studio", profile, settings)
        self.client = Client(self.studio.url)
        self.window = 2.0 * options.songs * options.songs_seconds / LIMIT  # seconds in which is asked
        # Of each kind, the id that was answered, and the unique prompt.
        self.wishes: dict[str, dict[uuid.UUID, str]] = {SONG: {}, PICTURE: {}}
        self.hurried = 0.0
        self.kills: Counter[str] = Counter()
        self.shots = 0  # kills beside the ambushes
        self.starts = 0
        self.repeats: Counter[str] = Counter()
        self.problems: list[str] = []

    def run(self) -> Verdict:
        """Kill while songs and pictures are made, wait until they have ended, stop, judge."""
        started = time.monotonic()
        try:
            self.begin()
            observer = Observer(self.studio)
            try:
                self.disturb(observer)
                settled = self.settle(observer)
            finally:
                observer.close()
            stop_seconds = self.studio.stop()
            left = self.studio.kill_all()
            verdict = judge(self.studio.profile, self.wishes[SONG], ledger_of(self.mock), LIMIT)
            pictures = ledger_of(self.mock, "openai")
            judge_pictures(verdict, self.studio.profile, self.wishes[PICTURE], pictures, PICTURES_LIMIT)
        finally:
            for program in (self.studio, self.mock):
                program.kill_all()
        verdict.must(settled, f"Jobs were still active {SETTLE_SECONDS:.0f} s after the last kill.")
        verdict.must(stop_seconds <= LONGEST_STOP, f"The stop took {stop_seconds:.0f} s.")
        verdict.must(not left, f"Processes outlived the stop: {[process.command for process in left]}.")
        verdict.violations += self.problems
        verdict.figures |= {
            "kills": self.kills.total(),
            "of these": ", ".join(f"{role} {count}" for role, count in self.kills.most_common()),
            "starts of `up`": self.starts,
            "requests sent again": ", ".join(f"{why} {count}" for why, count in sorted(self.repeats.items())) or 0,
            "refused by the limit (429)": self.wire.refusals,
            "stop, seconds": f"{stop_seconds:.1f}",
            "seconds in all": f"{time.monotonic() - started:.0f}",
        }
        return verdict

    def begin(self) -> None:
        """Start everything and sign in."""
        self.mock.start()
        self.mock.wait_until_healthy("/mock/health")
        self.wire.start()
        self.start_studio()
        self.studio.wait_until_healthy("/api/v1/health/")
        self.client.sign_in()

    def start_studio(self) -> None:
        """Start `up`, as a person or the system's service manager would."""
        self.studio.start()
        self.starts += 1

    def disturb(self, observer: Observer) -> None:
        """Ask for songs and pictures and kill, all at random moments, until it is done."""
        begun = time.monotonic()
        wishes = self.planned()
        due = sorted(self.random.uniform(0, self.window) for _wish in wishes)
        pause = self.window / self.options.kills  # mean
        kill_at = self.random.expovariate(1 / pause)
        with ThreadPoolExecutor(32, thread_name_prefix="client") as clients:
            asked: list[Future[None]] = []
            while len(asked) < len(due) or self.shots < self.options.kills:
                now = time.monotonic() - begun
                while len(asked) < len(due) and due[len(asked)] <= now:
                    wish = wishes[len(asked)]
                    asked.append(clients.submit(self.ask_for, wish, repeat=self.random.random() < 0.2))
                if now >= kill_at and self.shots < self.options.kills:
                    self.kill(observer)
                    kill_at = now + self.random.expovariate(1 / pause)
                self.keep_up()
                self.hurry(observer)
                time.sleep(0.05)
            while not all(future.done() for future in asked):
                self.keep_up()
                time.sleep(0.2)
            for future in asked:
                future.result()

    def planned(self) -> list[Wish]:
        """Return the wishes in the order in which they are asked for."""
        seed = self.options.seed
        songs = [song(number, seed, self.options.songs_seconds) for number in range(self.options.songs)]
        wishes = songs + [picture(number, seed) for number in range(self.options.pictures)]
        self.random.shuffle(wishes)
        return wishes

    def hurry(self, observer: Observer) -> None:
        """Shorten, now and then, the long wait for pictures that nobody will come back for."""
        if time.monotonic() - self.hurried > HURRY_EVERY:
            observer.hurry()
            self.hurried = time.monotonic()

    def kill(self, observer: Observer) -> None:
        """Kill one process: first its kind is drawn, then one of that kind."""
        alive = observer.roles()
        kinds = [kind for kind in WEIGHTS if kind in alive]
        if kinds in ([], ["supervisor"]):
            return  # it has just been started again: let it get somewhere first
        kind = self.random.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
        with suppress(ProcessLookupError):
            os.kill(self.random.choice(sorted(alive[kind])), signal.SIGKILL)
            self.kills[kind] += 1
            self.shots += 1

    def ambush(self) -> None:
        """Kill all processes that answer requests, some milliseconds from now: in the middle of the next request."""
        here = [process for process in processes_on(self.studio.profile.data_dir) if role_of(process) == "web process"]

        def spring() -> None:
            for process in here:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                    self.kills["web process, in the middle of a request"] += 1

        threading.Timer(self.random.uniform(0, 0.03), spring).start()

    def keep_up(self) -> None:
        """Start `up` again if it is gone."""
        if not self.studio.is_running:
            self.start_studio()

    def ask_for(self, wish: Wish, *, repeat: bool) -> None:
        """Ask until the wish is accepted, always with the same key, as a client that hears no answer must."""
        give_up_at = time.monotonic() + REQUEST_SECONDS
        if wish.number % AMBUSH_EVERY == 0:
            self.ambush()
        while time.monotonic() < give_up_at:
            answer = self.post(wish)
            if answer is not None and answer.status_code < 500:
                self.note(wish, answer)
                if not repeat:
                    return
                repeat = False
                self.repeats["on purpose"] += 1
                continue
            time.sleep(0.5)
        self.problems.append(f"{wish.prompt}: not accepted in {REQUEST_SECONDS:.0f} s.")

    def post(self, wish: Wish) -> requests.Response | None:
        """Send the request once. None if no answer came."""
        try:
            answer = wish.send(self.client)
        except requests.ConnectionError as error:
            refused = "refused" in str(error)
            self.repeats["web was away" if refused else "killed in the middle"] += 1
            return None
        except requests.RequestException:
            self.repeats["no answer in time"] += 1
            return None
        if answer.status_code >= 500:
            self.repeats[f"answer {answer.status_code}"] += 1
        return answer

    def note(self, wish: Wish, answer: requests.Response) -> None:
        """Remember what was promised. A second row by the same key would be another id, and a row too many."""
        if answer.status_code in {200, 202}:
            self.wishes[wish.kind][uuid.UUID(answer.json()["id"])] = wish.prompt
        else:
            self.problems.append(f"{wish.prompt}: answer {answer.status_code}: {answer.text[:200]}")

    def settle(self, observer: Observer) -> bool:
        """Wait until no job is active. False if some still are when the time is up."""
        give_up_at = time.monotonic() + SETTLE_SECONDS
        while any(self.studio.profile.count(ACTIVE.format(table)) for table in TABLES):
            if time.monotonic() > give_up_at:
                return False
            self.keep_up()
            self.hurry(observer)
            time.sleep(1)
        return True


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=25)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000, help="the same seed, the same plan")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--songs-seconds", type=int, default=8, help="how long the mock works on a song")
    parser.add_argument("--postgres", default=POSTGRES, help="the database macai_chaos on it is made anew")
    parser.add_argument("--redis", default=REDIS, help="it is emptied")
    return parser.parse_args(arguments)


def show(name: str, options: argparse.Namespace, verdict: Verdict) -> None:
    """Print one profile's figures and violations."""
    say(f"\n| {name}, seed {options.seed} | |\n|---|---|")
    for label, value in verdict.figures.items():
        say(f"| {label} | {value} |")
    for sentence in verdict.violations:
        say(f"VIOLATION: {sentence}")
    say("PASSED" if not verdict.violations else f"FAILED: {len(verdict.violations)} violations")


def main(arguments: Iterable[str]) -> int:
    """Run the trial on each profile. Return the exit status."""
    options = read_options(list(arguments))
    names = ["sqlite", "postgres"] if options.database == "both" else [options.database]
    failed = False
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix=f"macai-chaos-{name}-"))
        profile = fresh_profile(
            name, folder / "data", postgres=options.postgres, redis_url=options.redis, database="macai_chaos"
        )
        verdict = Trial(profile, options).run()
        show(name, options, verdict)
        if verdict.violations:
            say(f"Logs, rows and files are kept in {folder}.")
            failed = True
        else:
            shutil.rmtree(folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
