"""A text is written and kept whoever listens, hangs up, stops it or dies."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from django.conf import settings

from prompts import writing
from prompts.tests.writers import FINISH, Notebook, Pen, broken_off, first_of, listen, wait_until, writers
from prompts.writing import Ended, Silence, Text, Thinking, write
from providers.ollama_types import Piece


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test leaves no thread behind, and saves quickly."""
    monkeypatch.setattr(writing, "SAVE_SECONDS", 0.01)
    monkeypatch.setattr(writing, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(writing, "TRY_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(writing, "_keeper", writing.Keeper())
    yield
    wait_until(lambda: not writers())


# --- To the end ---


def test_a_text_is_passed_on_and_kept_whole() -> None:
    book = Notebook()

    events = listen(write(Pen(Piece(thinking="Hm. "), Piece(thinking="Yes."), "Good ", "morning", FINISH), book))

    assert "".join(event.text for event in events if isinstance(event, Thinking)) == "Hm. Yes."
    assert "".join(event.text for event in events if isinstance(event, Text)) == "Good morning"
    assert events[-1] == Ended("done", finish=FINISH)
    assert (book.text, book.thinking, book.outcome, book.finished) == ("Good morning", "Hm. Yes.", "done", FINISH)
    assert (book.calls[0], book.calls[-1]) == ("begin", "finish")


def test_the_end_is_told_only_once_the_text_is_kept() -> None:
    book = Notebook()

    for event in write(Pen("Good", FINISH), book).events():
        assert book.outcome == "done" or not isinstance(event, Ended)


def test_what_grows_is_saved_while_it_grows() -> None:
    book, pen = Notebook(), Pen("Good ")
    running = write(pen, book)

    wait_until(lambda: ("Good ", "") in book.saved)
    pen.put("morning")
    wait_until(lambda: ("Good morning", "") in book.saved)
    pen.put(FINISH)

    assert isinstance(listen(running)[-1], Ended)


def test_a_silent_text_is_saved_now_and_then_so_that_it_does_not_look_dead() -> None:
    book, pen = Notebook(), Pen()
    running = write(pen, book)

    wait_until(lambda: book.saved.count(("", "")) > 2)
    pen.put(FINISH)

    assert listen(running) == [Ended("done", finish=FINISH)]


# --- Listeners ---


def test_a_listener_who_hangs_up_costs_nothing() -> None:
    book, pen = Notebook(), Pen("Good ")
    events = write(pen, book).events()
    assert first_of(events, 1) == [Text("Good ")]

    events.close()  # type: ignore[attr-defined]  # it is a generator
    pen.put("morning", FINISH)

    wait_until(lambda: book.outcome)
    assert (book.text, book.outcome) == ("Good morning", "done")


def test_nobody_needs_to_listen_at_all() -> None:
    book = Notebook()

    write(Pen("Good morning", FINISH), book)

    wait_until(lambda: book.outcome == "done")


def test_two_listeners_hear_the_same_from_the_start_however_late_they_come() -> None:
    book, pen = Notebook(), Pen("Good ", "morning")
    running = write(pen, book)
    early = running.events()
    next(early)
    wait_until(lambda: ("Good morning", "") in book.saved)

    late = running.events()
    assert next(late) == Text("Good morning")
    pen.put("!", FINISH)

    assert list(late) == [Text("!"), Ended("done", finish=FINISH)]
    assert list(early)[-1] == Ended("done", finish=FINISH)
    assert listen(running) == [Text("Good morning!"), Ended("done", finish=FINISH)]


def test_silence_is_told_so_that_the_line_can_be_kept_alive() -> None:
    book, pen = Notebook(), Pen()
    events = write(pen, book).events(0.01)

    assert first_of(events, 2) == [Silence(), Silence()]
    pen.put("Good", FINISH)

    assert [event for event in events if not isinstance(event, Silence)] == [Text("Good"), Ended("done", finish=FINISH)]


# --- Stopping ---


def test_a_stop_keeps_the_text_and_hangs_up_on_ollama() -> None:
    book, pen = Notebook(), Pen("Good ")
    running = write(pen, book)
    events = running.events()
    next(events)

    running.stop()

    assert list(events) == [Ended("stopped")]
    assert (book.text, book.outcome) == ("Good ", "stopped")
    assert pen.is_closed.wait(20)


def test_a_stop_asked_for_through_the_row_is_seen_at_the_next_save() -> None:
    book, pen = Notebook(), Pen("Good ")
    running = write(pen, book)
    wait_until(lambda: book.saved)

    book.goes_on = False

    assert listen(running)[-1] == Ended("stopped")
    assert book.outcome == "stopped"
    assert pen.is_closed.wait(20)


def test_a_stop_before_the_first_word_ends_it_too() -> None:
    book, pen = Notebook(), Pen()
    running = write(pen, book)
    assert pen.is_asked.wait(20)

    running.stop()

    assert listen(running) == [Ended("stopped")]
    assert book.calls[0] == "begin"


def test_what_comes_after_a_stop_is_not_added() -> None:
    book, pen = Notebook(), Pen("Good ")
    running = write(pen, book)
    next(running.events())

    running.stop()
    pen.put("morning", FINISH)
    running.stop()

    assert listen(running) == [Text("Good "), Ended("stopped")]
    assert book.text == "Good "


# --- Trouble ---


def test_a_provider_that_breaks_in_the_middle_leaves_what_it_wrote() -> None:
    book, error = Notebook(), broken_off()

    events = listen(write(Pen("Good ", error), book))

    assert events[-1] == Ended("failed", error=error)
    assert (book.text, book.outcome, book.error) == ("Good ", "failed", error)


def test_a_provider_that_cannot_be_asked_at_all_fails_the_text() -> None:
    book, error = Notebook(), broken_off("Ollama does not answer.")

    def unreachable() -> Iterator[Piece]:
        raise error

    assert listen(write(unreachable, book)) == [Ended("failed", error=error)]
    assert book.outcome == "failed"


def test_a_stream_without_an_end_has_broken_off() -> None:
    book = Notebook()

    (*_texts, ended) = listen(write(Pen("Good ", None), book))

    assert isinstance(ended, Ended)
    assert ended.outcome == "failed"
    assert "broke off" in str(book.error)
    assert book.text == "Good "


def test_a_defect_of_ours_is_logged_and_ends_the_text_in_plain_words(caplog: pytest.LogCaptureFixture) -> None:
    book = Notebook()

    listen(write(Pen("Good ", KeyError("response")), book))

    assert book.outcome == "failed"
    assert "in the studio" in str(book.error)
    assert "KeyError" in caplog.text


def test_a_database_that_is_away_for_a_moment_costs_no_text(caplog: pytest.LogCaptureFixture) -> None:
    book = Notebook()
    misses = iter(["begin", "finish", "finish"])
    next_miss = [next(misses)]

    def trouble(name: str) -> None:
        if next_miss[0] == name:
            next_miss[0] = next(misses, "")
            raise OSError("the database is away")

    book.trouble = trouble

    events = listen(write(Pen("Good", FINISH), book))

    assert events[-1] == Ended("done", finish=FINISH)
    assert book.text == "Good"
    assert book.calls.count("finish") == 3
    assert "the database is away" in caplog.text


def test_a_text_that_can_never_be_saved_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GIVE_UP_SECONDS", -1.0)
    book = Notebook()

    def trouble(name: str) -> None:
        raise OSError("the disk is full")

    book.trouble = trouble

    ended = listen(write(Pen("Good", FINISH), book))[-1]

    assert isinstance(ended, Ended)
    assert "could not be saved" in str(ended.error)


def test_one_sink_that_fails_does_not_hold_up_another() -> None:
    broken, sound = Notebook(), Notebook()

    def trouble(name: str) -> None:
        if broken.goes_on:
            raise OSError("locked")

    broken.trouble = trouble
    first = write(Pen("Good", FINISH), broken)

    assert listen(write(Pen("morning", FINISH), sound))[-1] == Ended("done", finish=FINISH)
    broken.goes_on = False
    assert isinstance(listen(first)[-1], Ended)


def test_what_no_database_keeps_is_replaced() -> None:
    book = Notebook()

    listen(write(Pen("a\x00b", "c\ud800d", FINISH), book))

    assert book.text == "a\ufffdbc\ufffdd"


def test_a_text_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "OUTPUT_LIMIT", 1000)
    book, pen = Notebook(), Pen(*["many words "] * 200)

    listen(write(pen, book))

    assert book.outcome == "failed"
    assert 1000 < len(book.text) < 1100
    assert "without end" in str(book.error)
    assert pen.is_closed.wait(20)


def test_a_process_takes_only_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "TEXTS_LIMIT", 1)
    pen, refused = Pen(), Notebook()
    first = write(pen, Notebook())

    listen(write(Pen("Good", FINISH), refused))
    pen.put(FINISH)

    assert (refused.text, refused.outcome) == ("", "failed")
    assert "Too many" in str(refused.error)
    assert listen(first) == [Ended("done", finish=FINISH)]


# --- The end of the process ---


def test_a_studio_that_stops_gives_texts_a_bounded_time() -> None:
    book, pen = Notebook(), Pen("Good ")
    running = write(pen, book)
    next(running.events())

    writing.wind_up(0.0)

    ended = listen(running)[-1]
    assert isinstance(ended, Ended)
    assert (book.text, book.outcome) == ("Good ", "failed")
    assert "The studio was stopped" in str(book.error)
    assert pen.is_closed.wait(20)


def test_a_text_that_is_done_within_that_time_is_finished() -> None:
    book, pen = Notebook(), Pen("Good ")
    running = write(pen, book)

    writing.wind_up(20.0)
    pen.put("morning", FINISH)

    assert listen(running)[-1] == Ended("done", finish=FINISH)


PROCESS_THAT_ENDS = """
import django
django.setup()
from prompts import writing
from prompts.tests.writers import Notebook, Pen
writing.EXIT_SECONDS = 0.2

class Telling(Notebook):
    def fail(self, text, thinking, error):
        print("kept", repr(text), error.message, flush=True)

next(writing.write(Pen("Good "), Telling()).events())
print("main is done", flush=True)
"""


def test_a_process_that_ends_waits_for_its_texts_but_not_for_ever() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROCESS_THAT_ENDS],
        cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert done.stdout.splitlines()[0] == "main is done"
    assert "kept 'Good ' The studio was stopped" in done.stdout


def test_a_reader_that_is_stuck_does_not_keep_the_process() -> None:
    book, is_over = Notebook(), threading.Event()

    def stuck() -> Iterator[Piece]:
        yield Piece("Good ")
        is_over.wait(20)

    running = write(stuck, book)
    next(running.events())
    running.stop()

    assert listen(running)[-1] == Ended("stopped")
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "ollama-reader")
    is_over.set()
