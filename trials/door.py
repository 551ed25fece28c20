"""What nginx promises, tried on the real one: `python -m trials.door`. A song and a picture go through it, too.

It takes half a minute and is a step of .ci/run; docker-compose.yml's commands, settings and templates are what runs.
"""

import argparse
import hashlib
import re
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests

from trials.harbour import NAME, PACE, Harbour, harboured
from trials.studio import OWNER, POSTGRES, REDIS, say

API = "/api/v1"
BURST = 20  # requests
PAGE = 25  # requests that a page and all that is in it may make at once
A_YEAR = "public, max-age=31536000, immutable"
ONCE = (
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Content-Security-Policy",
    "X-Request-ID",
)


@dataclass
class Door:
    """The studio seen through nginx, and what was found."""

    harbour: Harbour
    session: requests.Session
    token: dict[str, str] = field(default_factory=dict)
    passed: int = 0
    problems: list[str] = field(default_factory=list)

    def must(self, holds: bool, sentence: str, found: object = "") -> None:
        """Count a promise, kept or not."""
        self.passed += holds
        if not holds:
            self.problems.append(f"{sentence}: {found}")
            say(f"BROKEN: {sentence}: {found}")

    def get(self, path: str, **options: Any) -> requests.Response:
        """Ask over TLS."""
        return self.session.get(self.harbour.url + path, timeout=120, allow_redirects=False, **options)

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask the API with the token, at a pace that it allows."""
        time.sleep(PACE)
        headers = self.token | options.pop("headers", {})
        return self.session.request(
            method, self.harbour.url + API + path, headers=headers, timeout=120, allow_redirects=False, **options
        )

    def connection(self) -> ssl.SSLSocket:
        """Return a connection on which nothing has been said yet."""
        context = ssl.create_default_context(cafile=str(self.harbour.folder / "certificates/macai.crt"))
        plain = socket.create_connection(("127.0.0.1", self.harbour.nginx.port), timeout=20)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def raw(self, head: str) -> str:
        """Send the head of a request, and no body. Return the start of the answer."""
        with self.connection() as connection:
            connection.sendall(lines(head))
            return connection.recv(65536).decode(errors="replace")


def lines(head: str) -> bytes:
    """Return the head of a request as it is sent."""
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n"


def tls(door: Door) -> None:
    """TLS 1.3 and nothing older, with HTTP/2; plain HTTP only leads there."""
    certificate = str(door.harbour.folder / "certificates/macai.crt")

    def handshake(version: ssl.TLSVersion) -> tuple[str | None, str | None]:
        context = ssl.create_default_context(cafile=certificate)
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        with closing(socket.create_connection(("127.0.0.1", door.harbour.nginx.port), timeout=10)) as plain:
            try:
                with context.wrap_socket(plain, server_hostname=NAME) as connection:
                    return connection.version(), connection.selected_alpn_protocol()
            except ssl.SSLError as error:
                return None, error.reason

    modern, old = handshake(ssl.TLSVersion.TLSv1_3), handshake(ssl.TLSVersion.TLSv1_2)
    door.must(modern == ("TLSv1.3", "h2"), "TLS 1.3 with HTTP/2 is spoken", modern)
    door.must(old[0] is None, "TLS 1.2 is refused", old)
    plain = f"http://127.0.0.1:{door.harbour.nginx.plain_port}"
    away = door.session.get(f"{plain}/songs/?q=a", timeout=10, allow_redirects=False)
    target = f"{door.harbour.url}/songs/?q=a"
    door.must((away.status_code, away.headers.get("Location")) == (308, target), "HTTP leads to HTTPS", away.headers)
    probe = door.session.get(f"{plain}{API}/health/", timeout=10, allow_redirects=False)
    door.must(probe.status_code == 200, "The health probe needs no TLS", probe.status_code)


def status_page(door: Door) -> None:
    """nginx's own figures are for this machine only."""
    port = door.harbour.nginx.plain_port
    here = door.session.get(f"http://127.0.0.1:{port}/nginx_status", timeout=10)
    door.must(here.status_code == 200 and "Active connections" in here.text, "nginx_status answers here", here.text)
    address = own_address()
    if address:
        there = door.session.get(f"http://{address}:{port}/nginx_status", timeout=10)
        door.must(there.status_code == 403, "nginx_status answers nobody else", there.status_code)


def own_address() -> str:
    """Return an address of this machine that is not loopback; nothing is sent. Empty if it has none."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
    return "" if address.startswith("127.") else address


def headers(door: Door) -> None:
    """Security headers are on every answer, once, whoever gives it."""
    static = static_of(door, r"/static/[^\"]+\.[0-9a-f]{12}\.css")
    for path in ("/sign-in/", "/songs/", f"{API}/songs/", static, "/static/none.css", "/none/"):
        answer = door.get(path)
        counts = Counter(name.lower() for name in answer.raw.headers)  # as they came, doubles too
        doubles = [name for name in ONCE if counts[name.lower()] != 1 or len(answer.raw.headers.getlist(name)) != 1]
        door.must(not doubles, f"{path} has each security header once", doubles)
    ids = {door.get("/sign-in/", headers={"X-Request-ID": "mine"}).headers["X-Request-ID"] for _ in range(3)}
    door.must(len(ids) == 3 and "mine" not in ids, "Every request gets an id of its own from nginx", ids)


def static_of(door: Door, pattern: str) -> str:
    """Return the address of a static file on the sign-in page."""
    found = re.search(pattern, door.get("/sign-in/").text)
    return found[0] if found else "/static/there-is-none.css"


def static_files(door: Door) -> None:
    """A static file with its hash is kept for a year, and packed; one of an older version is there, too."""
    css = static_of(door, r"/static/[^\"]+\.[0-9a-f]{12}\.css")
    answer = door.get(css, headers={"Accept-Encoding": "gzip"})
    kept = answer.headers.get("Cache-Control")
    door.must(answer.status_code == 200 and kept == A_YEAR, "Static files are kept for a year", answer.headers)
    door.must(answer.headers.get("Content-Encoding") == "gzip", "Static files come packed", answer.headers)
    share = door.harbour.folder / "static"
    (share / "css").mkdir(exist_ok=True)
    (share / "css" / "old.0123456789ab.css").write_text("/* the version before */", encoding="ascii")
    old = door.get("/static/css/old.0123456789ab.css")
    door.must(old.text == "/* the version before */", "An older version's static files are served", old.status_code)
    (share / css.removeprefix("/static/")).unlink()
    (share / (css.removeprefix("/static/") + ".gz")).unlink(missing_ok=True)
    fallback = door.get(css)
    door.must(fallback.text == answer.text, "What nginx does not have, the app has", fallback.status_code)


def limits(door: Door) -> None:
    """The API takes 5 requests a second and a burst; pages are not limited; signing in has its own limit."""

    def at_once(count: int, ask: Callable[[], requests.Response]) -> tuple[list[requests.Response], float]:
        started = time.monotonic()
        with ThreadPoolExecutor(count) as clients:
            answers = [future.result() for future in [clients.submit(ask) for _ in range(count)]]
        return answers, time.monotonic() - started

    time.sleep(4)  # what was asked before is forgotten
    answers, seconds = at_once(BURST, lambda: door.get(f"{API}/songs/"))
    refused = [answer for answer in answers if answer.status_code == 429]
    passed = BURST - len(refused)
    allowed = 16 + int(5 * seconds) + 1
    door.must(16 <= passed <= allowed, f"Of {BURST} at once over {seconds:.1f} s 16 to {allowed} pass", passed)
    if seconds < 0.4:
        door.must(bool(refused), "The rest is refused", passed)
    for answer in refused[:1]:
        is_json = answer.headers["Content-Type"] == "application/json" and "detail" in answer.json()
        door.must(is_json and "Retry-After" in answer.headers, "The refusal is JSON and says when", answer.text)
    pages, _seconds = at_once(PAGE, lambda: door.get("/songs/"))
    statuses = Counter(page.status_code for page in pages)
    door.must(statuses == {200: PAGE}, "Pages are not limited, even when the API is", statuses)
    # Without its form's token nobody is signed in, so no account is locked out.
    posts, seconds = at_once(BURST, lambda: door.session.post(f"{door.harbour.url}/sign-in/", timeout=60))
    statuses = Counter(post.status_code for post in posts)
    is_limited = 11 <= statuses[403] <= 12 + int(seconds / 5) and statuses[403] + statuses[429] == BURST
    door.must(is_limited, f"Signing in is limited, over {seconds:.1f} s", statuses)


def pictures(door: Door) -> None:
    """One address sends four forms with pictures at once, and no stranger's is read by the app."""
    head = "POST {} HTTP/1.1\nHost: 127.0.0.1\nConnection: close\nContent-Type: multipart/form-data; boundary=x"
    head += "\nContent-Length: 1000000\nCookie: csrftoken=" + "a" * 32
    with ExitStack() as held:
        for _form in range(4):
            held.enter_context(door.connection()).sendall(lines(head.format("/images/new/")))
        time.sleep(0.5)
        for path, form in (("/images/uploads/", ""), (f"{API}/images/uploads/", "application/json")):
            fifth = door.raw(head.format(path))
            is_refused = fifth.startswith("HTTP/1.1 429") and form in fifth
            door.must(is_refused, f"A fifth form is refused at {path}", fifth[:300])
    time.sleep(0.5)  # until nginx knows that they are gone
    stranger = door.harbour.session()
    stranger.cookies.set("csrftoken", "a" * 32)
    url = f"{door.harbour.url}/images/new/"
    answer = stranger.post(url, files={"files": b"x" * 10**7}, allow_redirects=False, timeout=60)
    door.must(answer.status_code == 302, "A stranger with a picture is led to the sign-in", answer.status_code)


def sizes(door: Door) -> None:
    """Too much is refused before it is sent, in the words of whoever asks."""
    head = "POST {} HTTP/1.1\nHost: 127.0.0.1\nConnection: close\nContent-Type: text/plain\nContent-Length: {}"
    for path, limit, form in (
        (f"{API}/songs/", 3, "json"),
        (f"{API}/images/uploads/", 52, "json"),
        ("/songs/new/", 3, ""),
    ):
        answer = door.raw(head.format(path, limit * 1024**2 + 1))
        is_refused = answer.startswith("HTTP/1.1 413") and ("application/json" in answer) == bool(form)
        door.must(is_refused, f"{path} takes no more than {limit} MB", answer[:300])


def sign_in(door: Door) -> None:
    """Exchange name and password for a token, and for a session."""
    answer = door.session.post(door.harbour.url + f"{API}/auth/token/", json=OWNER | {"name": "door"}, timeout=30)
    door.must(answer.ok, "A token is given", answer.status_code)
    door.token = {"Authorization": f"Token {answer.json()['token']}"}
    page = door.get("/sign-in/")
    csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    form = OWNER | {"csrfmiddlewaretoken": csrf[1] if csrf else ""}
    entered = door.session.post(
        door.harbour.url + "/sign-in/",
        data=form,
        headers={"Referer": door.harbour.url + "/sign-in/"},
        allow_redirects=False,
        timeout=30,
    )
    door.must(entered.status_code == 302, "A person signs in", entered.status_code)


def picture(door: Door) -> None:
    """A picture is asked for, waited for, and seen."""
    body = {"prompt": f"a harbour, 2s, {uuid4()}"}
    answer = door.api("POST", "/images/", json=body, headers={"Idempotency-Key": str(uuid4())})
    door.must(answer.status_code == 201, "A picture comes with the answer", answer.text[:300])
    images = answer.json().get("images", [])
    if not images:
        door.must(False, "The answer holds the picture", answer.text[:300])
        return
    media(door, images[0]["local_url"], images[0]["sha256"])


def song(door: Door) -> None:
    """A song is asked for, followed, and heard."""
    key = str(uuid4())
    wish = {"lyrics": "One line\nand another", "prompt": f"pop, 2s, {key}"}
    answer = door.api("POST", "/songs/", json=wish, headers={"Idempotency-Key": key})
    door.must(answer.status_code in {200, 201, 202}, "A song is promised", answer.text[:300])
    address = f"/songs/{answer.json()['id']}/"
    deadline = time.monotonic() + 90
    while (row := door.api("GET", address).json())["status"] in {"PENDING", "PROGRESS"} and time.monotonic() < deadline:
        time.sleep(1)
    door.must(row["status"] == "SUCCESS", "The song is made", row)
    rows = door.harbour.profile.rows("SELECT choice_id, sha256 FROM song_files WHERE state = 'home' AND kind = 'mp3'")
    for found in rows[:1]:
        media(door, f"/songs/choices/{found['choice_id']}/files/mp3/", found["sha256"])
    door.must(bool(rows), "The song's files are at home", row)


def text(door: Door) -> None:
    """A text that is written piece by piece arrives piece by piece."""
    wish = {"category": "lyrics", "action": "generate", "text": "a harbour at night"}
    accept = {"Accept": "application/x-ndjson"}
    with door.api("POST", "/chat/magic/", json=wish, headers=accept, stream=True) as answer:
        moments = [time.monotonic() for _line in answer.iter_lines(chunk_size=1)]
    door.must(answer.status_code == 200 and len(moments) > 3, "A text is written", answer.status_code)
    spread = moments[-1] - moments[0] if moments else 0.0
    door.must(spread > 0.1, "Its pieces are not held back", f"{len(moments)} lines within {spread:.2f} s")


def media(door: Door, path: str, sha256: str) -> None:
    """A file is sent by nginx, in whole or in part, and to nobody unknown."""
    stranger = door.harbour.session().get(door.harbour.url + path, timeout=30, allow_redirects=False)
    door.must(stranger.status_code in {302, 401, 403}, f"{path} is not for strangers", stranger.status_code)
    whole = door.get(path)
    digest = hashlib.sha256(whole.content).hexdigest()
    door.must(whole.status_code == 200 and sha256 == digest, f"{path} comes whole", whole.status_code)
    for name in ("Accept-Ranges", "ETag", "Cache-Control", "Content-Type", "X-Content-Type-Options"):
        values = whole.raw.headers.getlist(name)
        door.must(len(values) == 1, f"{path} has {name} once", values)
    part = door.get(path, headers={"Range": "bytes=100-199"})
    is_part = (part.status_code, part.content) == (206, whole.content[100:200])
    door.must(is_part, f"{path} is sent in part", (part.status_code, part.headers))
    etag = whole.headers.get("ETag", "")
    door.must(etag == f'"{digest}"', f"{path} has its SHA-256 as ETag", etag)
    known = door.get(path, headers={"If-None-Match": etag})
    door.must(known.status_code == 304, f"{path} is not sent again", known.status_code)
    same = door.get(path, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = door.get(path, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    door.must((same.status_code, other.status_code) == (206, 200), "A part is of the file that the browser has")
    outside = door.get(path, headers={"Range": f"bytes={len(whole.content)}-"})
    door.must(outside.status_code == 416, "A part outside of the file is refused", outside.status_code)
    direct = door.get("/protected-media/" + path.rpartition("/")[2])
    door.must(direct.status_code == 404, "Nobody gets at the media directly", direct.status_code)


def away(door: Door) -> None:
    """An app that is away is a small page, JSON for the API, and never an unknown error."""
    door.harbour.apps[0].stop(60)
    time.sleep(1)  # the API's limit has just been reached
    page, answer = door.get("/songs/"), door.api("GET", "/songs/")
    door.must(page.status_code == 502 and "<h1>" in page.text, "A page says that the studio is away", page.text[:200])
    is_json = answer.headers["Content-Type"] == "application/json" and "detail" in answer.json()
    door.must(answer.status_code == 502 and is_json, "The API says so, too", answer.text[:200])


STEPS = (tls, status_page, headers, static_files, sizes, pictures, sign_in, picture, song, text, limits, away)


def main(arguments: Iterable[str]) -> int:
    """Try everything. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trials.door", description=__doc__)
    parser.add_argument("--postgres", default=POSTGRES, help="the database macai_harbour on it is made anew")
    parser.add_argument("--redis", default=REDIS, help="it is emptied")
    options = parser.parse_args(list(arguments))
    with harboured("door", postgres=options.postgres, redis_url=options.redis) as harbour:
        door = Door(harbour, harbour.session())
        for step in STEPS:
            started = time.monotonic()
            step(door)
            say(f"{step.__name__}: {(step.__doc__ or '').splitlines()[0]} ({time.monotonic() - started:.1f} s)")
    say(f"{door.passed} passed, {len(door.problems)} failed")
    return int(bool(door.problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
