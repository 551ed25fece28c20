"""Load on a studio behind nginx: people who look at pages, and a program that asks for songs and pictures."""

import re
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests

from trials.harbour import PACE, Harbour
from trials.studio import OWNER
from trials.wishes import PICTURE, SONG, Wish

LOOKERS = 4
LOOK_EVERY = 0.3  # seconds
GIVE_UP_SECONDS = 300.0
STATIC = re.compile(r'(?:src|href)="(/static/[^"]+)"')


class PacedClient:
    """The API through nginx, by a program that keeps within its limit and sends again what got no answer."""

    def __init__(self, harbour: Harbour) -> None:
        self.url = harbour.url + "/api/v1"
        self.session = harbour.session()
        self.next_at = 0.0
        self.lock = threading.Lock()

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request when its time has come. What requests raises passes through."""
        with self.lock:
            pause = self.next_at - time.monotonic()
            self.next_at = max(self.next_at, time.monotonic()) + PACE
        time.sleep(max(0.0, pause))
        return self.session.request(method, self.url + path, timeout=120, **options)

    def sign_in(self) -> None:
        """Get a token."""
        answer = self.ask("POST", "/auth/token/", json=OWNER | {"name": "trial"})
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Token {answer.json()['token']}"


@dataclass
class Load:
    """What is asked, and what came back."""

    harbour: Harbour
    answers: Counter[str] = field(default_factory=Counter)  # "page 200", "song 202", "static 404", "page no answer"
    troubles: list[str] = field(default_factory=list)  # 5xx and broken connections, with their time
    wishes: dict[str, dict[uuid.UUID, str]] = field(default_factory=lambda: {SONG: {}, PICTURE: {}})
    started: float = field(default_factory=time.monotonic)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Sign in and start looking at pages."""
        self.client = PacedClient(self.harbour)
        self.client.sign_in()
        self.people = self.signed_in()
        for _looker in range(LOOKERS):
            self._start(self._look)

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        for thread in self._threads:
            thread.join(150)

    def ask_for(self, wishes: list[Wish], seconds: float) -> None:
        """Ask for all of them, spread over the seconds, in the background; each until it is accepted."""
        for place, wish in enumerate(wishes):
            self._start(self._wish, wish, time.monotonic() + seconds * place / len(wishes))

    @property
    def accepted(self) -> int:
        """How many wishes have been accepted."""
        return sum(len(found) for found in self.wishes.values())

    def signed_in(self) -> requests.Session:
        """Return a browser of a person who has signed in."""
        browser = self.harbour.session()
        page = browser.get(f"{self.harbour.url}/sign-in/", timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        form = OWNER | {"csrfmiddlewaretoken": token[1] if token else ""}
        headers = {"Referer": f"{self.harbour.url}/sign-in/"}
        browser.post(f"{self.harbour.url}/sign-in/", data=form, headers=headers, timeout=30).raise_for_status()
        return browser

    def _start(self, run: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _look(self) -> None:
        browser = self.harbour.session()
        browser.cookies.update(self.people.cookies)
        seen: set[str] = set()
        while not self._over.wait(LOOK_EVERY):
            page = self._get(browser, "page", "/songs/")
            for address in set(STATIC.findall(page.text)) - seen if page is not None and page.ok else ():
                seen.add(address)
                self._get(browser, "static", address)

    def _get(self, browser: requests.Session, what: str, path: str) -> requests.Response | None:
        try:
            answer = browser.get(self.harbour.url + path, timeout=60, allow_redirects=False)
        except requests.RequestException as error:
            self.note(what, "no answer", type(error).__name__)
            return None
        self.note(what, str(answer.status_code), path)
        return answer

    def note(self, what: str, answer: str, detail: str = "") -> None:
        """Count an answer; what must not be in an update is remembered with its time."""
        self.answers[f"{what} {answer}"] += 1
        if answer == "no answer" or answer.startswith(("5", "404", "429")):
            self.troubles.append(f"{time.monotonic() - self.started:.1f} s: {what} {answer} {detail}")

    def _wish(self, wish: Wish, at: float) -> None:
        give_up_at = at + GIVE_UP_SECONDS
        time.sleep(max(0.0, at - time.monotonic()))
        path = "/songs/" if wish.kind == SONG else "/images/"
        while time.monotonic() < give_up_at:
            try:
                answer = self.client.ask("POST", path, json=wish.body, headers={"Idempotency-Key": wish.prompt})
            except requests.RequestException as error:
                self.note(wish.kind, "no answer", type(error).__name__)
                time.sleep(2)
                continue
            self.note(wish.kind, str(answer.status_code), answer.text[:200] if answer.status_code >= 400 else "")
            if answer.status_code < 500 and answer.status_code != 429:
                if answer.ok:
                    self.wishes[wish.kind][uuid.UUID(answer.json()["id"])] = wish.prompt
                return
            time.sleep(2)
