"""Chat: the first word on top of Ollama's own, many answers at once beside the rest, a long conversation."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from trials.harbour import harboured
from trials.loading import PacedClient
from trials.resting import memory_of
from trials.roles import role_of
from trials.stage import Figure, Stage, share, spread, staged
from trials.studio import ROOT, processes_on

ASKED = 60  # first words that are timed ...
WARM_UP = 5  # ... after these
PACE_OF_NGINX = 0.25  # seconds from one request of a client to its next
STREAMS = 20
WORDS = 1000  # of each of the answers at once
PACE = 20  # words a second
QUICK = 0.1  # seconds, within which the rest of the studio is to answer
OPENED = 50
HELLO = "hello, {number}, 100000 words/s"
LOOKED_AT = ("/", "/songs/", "/images/", "/chat/", "/api/v1/songs/", "/api/v1/images/", "/api/v1/chat/conversations/")
Messages = list[dict[str, str]]


def everything(name: str, servers: Mapping[str, str], messages: int) -> list[Figure]:
    """Measure all of it on one profile."""
    return [*first_word(name, servers), *at_once(name, servers), *long_conversation(name, servers, messages)]


# --- The first word -------------------------------------------------------------------------------------------------


def first_word(name: str, servers: Mapping[str, str]) -> list[Figure]:
    """Ask the same of Ollama itself and through the studio, in turns, and time the first word of each answer."""
    with staged(name, servers, limit=2) as stage, requests.Session() as session:
        if stage.mock is None:
            raise RuntimeError("The studio's own mock cannot be timed apart from it.")
        return in_turns(name, stage.mock.url, Client(stage.client.url, stage.client.headers, session))


def first_word_through_nginx(servers: Mapping[str, str]) -> list[Figure]:
    """Do the same through nginx, with TLS and at the pace that it allows: the studio as it runs around the clock."""
    with harboured("talking", postgres=servers["postgres"], redis_url=servers["redis_url"]) as harbour:
        client = PacedClient(harbour)
        client.sign_in()
        headers = {"Authorization": str(client.session.headers["Authorization"])}
        return in_turns("nginx", harbour.mock.url, Client(client.url, headers, client.session), pause=PACE_OF_NGINX)


@dataclass(frozen=True)
class Client:
    """Whoever talks with the studio by its API."""

    url: str
    headers: dict[str, str]
    session: requests.Session


def in_turns(name: str, mock: str, client: Client, *, pause: float = 0.0) -> list[Figure]:
    """Time first words of the mock and of the studio."""
    conversation = new_conversation(client)
    direct, through = [], []
    with requests.Session() as beside:
        for number in range(WARM_UP + ASKED):
            time.sleep(pause)
            text = HELLO.format(number=number)
            direct.append(first_of_ollama(beside, mock, text))
            through.append(first_of_studio(client, conversation, text))
    load = os.getloadavg()[0]
    direct, through = direct[WARM_UP:], through[WARM_UP:]
    on_top = [ours - theirs for ours, theirs in zip(through, direct, strict=True)]
    return [
        Figure("First word of an answer: Ollama's own (the mock)", name, spread(direct, unit="ms"), load),
        Figure("… through the studio, to an API client", name, spread(through, unit="ms"), load),
        Figure("… on top of Ollama's own", name, spread(on_top, unit="ms"), load),
    ]


def new_conversation(client: Client) -> str:
    """Begin a conversation without messages. Return its id."""
    address = f"{client.url}/chat/conversations/"
    answer = client.session.post(address, json={}, headers=client.headers, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["id"])


def first_of_ollama(session: requests.Session, mock: str, text: str) -> float:
    """Return how many seconds the provider takes to its first word."""
    body = {"model": "llama3.2:latest", "messages": [{"role": "user", "content": text}]}
    return first_line(session, f"{mock}/mock/ollama/api/chat", body, {}, lambda line: bool(line["message"]["content"]))


def first_of_studio(client: Client, conversation: str, text: str) -> float:
    """Return how many seconds the studio takes to the first word of an answer, which is then read to its end."""
    headers = client.headers | {"Accept": "application/x-ndjson"}
    url = f"{client.url}/chat/conversations/{conversation}/messages/"
    return first_line(client.session, url, {"text": text}, headers, lambda line: bool(line.get("text")))


def first_line(
    session: requests.Session,
    url: str,
    body: dict[str, Any],
    headers: dict[str, str],
    is_word: Callable[[dict[str, Any]], bool],
) -> float:
    """Return after how many seconds the first line came that holds a word; the connection is kept."""
    started, came = time.perf_counter(), None
    with session.post(url, json=body, headers=headers, stream=True, timeout=60) as answer:
        answer.raise_for_status()
        for raw in answer.iter_lines(chunk_size=None):
            if came is None and raw and is_word(json.loads(raw)):
                came = time.perf_counter() - started
    if came is None:
        raise RuntimeError(f"{url} gave no word.")
    return came


# --- Many at once ---------------------------------------------------------------------------------------------------


@dataclass
class Listener(threading.Thread):
    """Somebody who has asked for a long answer and reads it as it comes."""

    client: Client
    conversation: str
    number: int
    words: int = 0
    gaps: list[float] = field(default_factory=list)
    ended: str = "not at all"
    __hash__ = threading.Thread.__hash__

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        """Ask, and read to the end."""
        headers = self.client.headers | {"Accept": "application/x-ndjson"}
        text = f"Tell me something in {WORDS} words, please, {self.number}. {PACE} words/s"
        url, last = f"{self.client.url}/chat/conversations/{self.conversation}/messages/", time.perf_counter()
        with requests.post(url, json={"text": text}, headers=headers, stream=True, timeout=120) as answer:
            answer.raise_for_status()
            for raw in answer.iter_lines(chunk_size=None):
                line = json.loads(raw or b"{}")
                self.ended = line.get("ended", self.ended)
                if line.get("text"):
                    now = time.perf_counter()
                    self.gaps.append(now - last)
                    self.words, last = self.words + len(line["text"].split()), now


def at_once(name: str, servers: Mapping[str, str]) -> list[Figure]:
    """Have one web process write many answers, and time the pages and the API meanwhile."""
    with staged(name, servers, limit=2, threads=STREAMS + 8, WEB_PROCESSES="1") as stage:
        stage.warm_up()
        session = signed_in(stage)
        alone = look_around(stage, session, 3)[0]
        before = web_memory(stage)
        talker = Client(stage.client.url, stage.client.headers, session)
        listeners = [Listener(talker, new_conversation(talker), number) for number in range(STREAMS)]
        for listener in listeners:
            listener.start()
        time.sleep(3)
        beside, paths = look_around(stage, session, 20)
        during, load = web_memory(stage), os.getloadavg()[0]
        were_writing = sum(listener.is_alive() for listener in listeners)
        for listener in listeners:
            listener.join(WORDS / PACE + 120)
    whole = sum(listener.words == WORDS and listener.ended == "done" for listener in listeners)
    gaps = [gap for listener in listeners for gap in listener.gaps[1:]]
    slowest = max(paths, key=lambda path: share(paths[path], 95))
    late = 100 * sum(took > QUICK for took in beside) / len(beside)
    what = f"{STREAMS} answers at once, one web process"
    return [
        Figure(f"{what}: whole, of which {were_writing} were still being written at the end", name, f"{whole}", load),
        Figure("… between two pieces of an answer", name, spread(gaps, unit="ms"), load),
        Figure("… pages and API before", name, spread(alone, unit="ms"), load),
        Figure("… pages and API meanwhile", name, f"{spread(beside, unit='ms')}, {late:.1f} % above 100 ms", load),
        Figure(f"… slowest of them, {slowest}", name, spread(paths[slowest], unit="ms"), load),
        Figure("… memory of the web process", name, f"PSS {before:.0f} MB before, {during:.0f} MB meanwhile", load),
    ]


def signed_in(stage: Stage) -> requests.Session:
    """Return a browser's session, which also opens the API."""
    session = requests.Session()
    session.cookies.set("sessionid", inside("picture_rows", stage, "cookie"))
    return session


def look_around(stage: Stage, session: requests.Session, rounds: int) -> tuple[list[float], dict[str, list[float]]]:
    """Ask for each of some pages and lists, one after the other. Return the seconds, all and by address."""
    paths: dict[str, list[float]] = {path: [] for path in LOOKED_AT}
    for _round, path in itertools.product(range(rounds), LOOKED_AT):
        paths[path].append(opened(stage, session, path))
    return list(itertools.chain(*paths.values())), paths


def opened(stage: Stage, session: requests.Session, path: str) -> float:
    """Return how many seconds a page takes, to its last byte."""
    started = time.perf_counter()
    answer = session.get(stage.studio.url + path, timeout=60, allow_redirects=False)
    took = time.perf_counter() - started
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}.")
    return took


def web_memory(stage: Stage) -> float:
    """Return the PSS of the web processes in MB."""
    processes = processes_on(stage.studio.profile.data_dir)
    return sum(memory_of(process.pid)[1] for process in processes if role_of(process) == "web process")


# --- A long conversation --------------------------------------------------------------------------------------------


def long_conversation(name: str, servers: Mapping[str, str], messages: int) -> list[Figure]:
    """Open the page of a long conversation, and read it by the API."""
    figures = []
    with staged(name, servers) as stage:
        session = signed_in(stage)
        conversation = inside("talk_rows", stage, "long", str(messages))
        pages = {
            "its page, first time": [opened(stage, session, f"/chat/{conversation}/")],
            "its page": [opened(stage, session, f"/chat/{conversation}/") for _time in range(OPENED)],
        }
        asked = json.loads(inside("picture_rows", stage, "queries", f"/chat/{conversation}/"))
        for label, times in pages.items():
            value = f"{spread(times, unit='ms')}, {asked['queries']} queries"
            figures.append(Figure(f"Conversation of {messages:,} messages: {label}", name, value, os.getloadavg()[0]))
    return figures


def inside(module: str, stage: Stage, *arguments: str) -> str:
    """Run a command of ours on the studio's database."""
    done = subprocess.run(  # noqa: S603  the command is ours
        [sys.executable, "-m", f"trials.{module}", *arguments],
        cwd=ROOT,
        env=stage.studio.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout
