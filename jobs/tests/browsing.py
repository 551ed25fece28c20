"""A studio as its user runs it (`manage.py up`: web, worker, imitated providers), in a folder of its own, and Chromium.

A test module takes the fixtures with `studio, browser, owner = browsing.studio, browsing.browser, browsing.owner`.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PASSWORD = "a long and quiet river"
PATIENCE = 30_000  # milliseconds


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def environment(data_dir: Path, port: int) -> dict[str, str]:
    ours = {"DATA_DIR": str(data_dir), "PORT": str(port), "DJANGO_SETTINGS_MODULE": "macai.settings"}
    others = ("DATABASE_URL", "REDIS_URL", "MUREKA_API_KEY", "MUREKA_BASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL",
              "OLLAMA_BASE_URL", "OLLAMA_MODEL", "PYTEST_CURRENT_TEST")  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if name not in others}
    return kept | ours | {"ENV_FILE": os.devnull, "STOP_SECONDS": "5", "MOCKAPI_AUDIO_SECONDS": "30"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a studio nobody has visited yet; its address."""
    with running_studio(tmp_path_factory.mktemp("studio")) as url:
        yield url


@contextmanager
def running_studio(data_dir: Path, **more: str) -> Iterator[str]:
    """Run a studio with what else its environment is to hold; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (data_dir / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=settings.BASE_DIR,
            env=environment(data_dir, port) | more,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(url, process, data_dir / "log")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _try in range(300):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None:
                break
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"The studio did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Chromium: the system's, else Playwright's own."""
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
            )
        except Error as error:
            pytest.skip(f"no Chromium here: {error.message}")
        yield started
        started.close()


@dataclass
class Visit:
    """A page, and everything its browser complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> "Visit":
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"{request.failure} {request.url}"))
        return self

    def hear(self, message: Any) -> None:
        # A form with something wrong is answered 422, which Chromium notes as if it were trouble.
        if message.type in {"error", "warning"} and "status of 422" not in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    @property
    def worth_telling(self) -> list[str]:
        """What is left when the player has given up a file for the next one, which is its right."""
        return [text for text in self.complaints if "ERR_ABORTED" not in text]


def visit(context: BrowserContext) -> Visit:
    context.set_default_timeout(PATIENCE)
    return Visit(context.new_page()).listen()


def check_access(page: Page, what: str = "") -> None:
    """Look for barriers at the width of a desk and of a phone, and at the colours of both themes.

    The context bypasses the policy on content (`bypass_csp=True`), or its complaints have been read already: axe
    writes styles of its own into the page.
    """
    was = page.viewport_size
    everything, colours = {"resultTypes": ["violations"]}, {"runOnly": ["color-contrast"]}
    for size, scheme, options in (
        (DESKTOP, "light", everything),
        (DESKTOP, "dark", colours),
        (PHONE, "dark", everything),
    ):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = Axe().run(page, options=options)
        assert found.violations_count == 0, f"{what or page.url}, {scheme}, {size}\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what or page.url}, {size}"
    if was:
        page.set_viewport_size(was)


@pytest.fixture(scope="module")
def owner(studio: str, browser: Browser) -> Any:
    """Make the owner's account as the first visitor does; the signed-in state for further contexts."""
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    one = visit(context)
    page = one.page
    page.goto(studio)
    expect(page).to_have_url(f"{studio}/first-visit/")
    page.fill("[name=username]", "anna")
    for password in page.locator("input[type=password]").all():
        password.fill(PASSWORD)
    page.click("main button[type=submit]")
    expect(page.locator("h1")).to_contain_text("Welcome")
    assert one.worth_telling == []
    state = context.storage_state()
    context.close()
    return state
