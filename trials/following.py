"""How quickly the engine submits, notices an end and brings the files home; and what the follower costs."""

import os
import random
import time
from collections.abc import Mapping
from uuid import UUID

from trials.stage import Figure, Stage, cpu_seconds, spread, staged
from trials.studio import key_of, seconds_of
from trials.verdict import most_at_once

DONE = "SELECT job_pk, at FROM job_events WHERE text LIKE '% is done. The files%'"
ENDS = "SELECT id, completed_at FROM songs WHERE status = 'SUCCESS'"
FOLLOW = "SELECT owner, until FROM job_leases WHERE name = 'follow'"
SHORTEST, LONGEST = 60, 120  # seconds that the songs in flight take


class FollowerClock:
    """Adds up the CPU time of whichever process follows."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.pid, self.seen = 0, 0.0
        self.cpu = 0.0
        self.started = time.monotonic()

    def look(self) -> None:
        """Read the clock of the process that holds the lease."""
        owners = [row["owner"] for row in self.stage.studio.profile.rows(FOLLOW)]
        pid = int(owners[0].split(":")[1]) if owners and owners[0] else 0
        used = cpu_seconds(pid) if pid else 0.0
        if pid and pid == self.pid:
            self.cpu += max(0.0, used - self.seen)
        self.pid, self.seen = pid, used

    @property
    def percent(self) -> float:
        """Return the share of one core."""
        return 100 * self.cpu / (time.monotonic() - self.started)


def noticed(stage: Stage) -> dict[UUID, float]:
    """Return when each row said that Mureka is done."""
    return {key_of(row["job_pk"]): seconds_of(row["at"]) for row in stage.studio.profile.rows(DONE)}


def ended(stage: Stage) -> dict[UUID, float]:
    """Return when each song was SUCCESS, its files at home."""
    return {key_of(row["id"]): seconds_of(row["completed_at"]) for row in stage.studio.profile.rows(ENDS)}


def many_in_flight(name: str, servers: Mapping[str, str], songs: int) -> list[Figure]:
    """Have many songs at the provider at once, ending spread over a minute, followed by one worker slot."""
    with staged(name, servers, limit=songs) as stage:
        stage.warm_up()
        seconds = [SHORTEST + (LONGEST - SHORTEST) * number // songs for number in range(songs)]
        random.Random(songs).shuffle(seconds)  # noqa: S311  the same order every time
        clock = FollowerClock(stage)
        keys = stage.ask_for_many([f"pop, {length}s" for length in seconds], variants=1)
        stage.wait_until_done(900, clock.look)
        ledger, rows, home = stage.ledger(), noticed(stage), ended(stage)
        load = os.getloadavg()[0]
        finish = {key: ledger[key]["finished_at"] for key in keys}
        most = most_at_once([ledger[key] for key in keys])
        submitted = [ledger[key]["created_at"] - min(stage.asked.values()) for key in keys]
    what = f"{songs} songs of {SHORTEST} to {LONGEST} s, {most} in flight at once, one worker slot follows:"
    return [
        Figure(
            f"{what} finished at the provider to row says so", name, spread([rows[k] - finish[k] for k in keys]), load
        ),
        Figure("… to SUCCESS, file set at home", name, spread([home[k] - finish[k] for k in keys if k in home]), load),
        Figure("… SUCCESS of these", name, f"{sum(key in home for key in keys)} of {songs}", load),
        Figure("… all submitted after", name, f"{max(submitted):.1f} s", load),
        Figure("… CPU of the follower", name, f"{clock.percent:.0f} % of one core", load),
    ]


def with_a_limit(
    name: str, servers: Mapping[str, str], songs: int = 20, seconds: int = 20, limit: int = 10
) -> list[Figure]:
    """Make songs through an account that takes fewer at once: how much longer than ideal does it take?"""
    with staged(name, servers, limit=limit) as stage:
        stage.warm_up()
        keys = stage.ask_for_many([f"pop, {seconds}s"] * songs)
        stage.wait_until_done(600)
        load = os.getloadavg()[0]
        begun = min(stage.asked[key] for key in keys)
        rows, home = noticed(stage), ended(stage)
        row_total, home_total = (max(times[key] for key in keys) - begun for times in (rows, home))
    ideal = seconds * songs / limit
    what = f"{songs} songs of {seconds} s, account limit {limit} (ideal {ideal:.0f} s)"
    return [
        Figure(f"{what}: until the last row says done", name, f"{row_total:.1f} s, {row_total - ideal:+.1f} s", load),
        Figure("… until all files are at home", name, f"{home_total:.1f} s, {home_total - ideal:+.1f} s", load),
    ]


def until_submitted(name: str, servers: Mapping[str, str], songs: int = 20) -> list[Figure]:
    """Ask for songs one at a time, of a studio that sleeps and of one that follows: how soon are they submitted?"""
    pauses = random.Random(songs)  # noqa: S311  the same every time
    with staged(name, servers, limit=100) as stage:
        stage.warm_up()
        sleeping = []
        for _song in range(songs):
            wait_until_asleep(stage)
            time.sleep(pauses.uniform(0, 1))
            sleeping.append(stage.ask_for("pop, 1s", variants=1))
        stage.ask_for("pop, 300s", variants=1)
        time.sleep(5)
        following = []
        for _song in range(2 * songs):
            time.sleep(pauses.uniform(0.5, 1.5))
            following.append(stage.ask_for("pop, 3s", variants=1))
        time.sleep(3)
        load = os.getloadavg()[0]
        ledger = stage.ledger()
        waits = {key: ledger[key]["created_at"] - asked for key, asked in stage.asked.items()}
    return [
        Figure(
            "Request to submission, studio at rest", name, spread([waits[key] for key in sleeping], unit="ms"), load
        ),
        Figure(
            "Request to submission, follower runs", name, spread([waits[key] for key in following], unit="ms"), load
        ),
    ]


def wait_until_asleep(stage: Stage) -> None:
    """Wait until nothing is active and nobody follows."""
    stage.wait_until_done(180)
    while any(seconds_of(row["until"]) > time.time() for row in stage.studio.profile.rows(FOLLOW)):
        time.sleep(0.2)
