"""What the terminal gets: streams that cannot crash on a character, messages, progress."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[str, float], None]

PLAIN = {
    "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u00b1": "+/-", "\u00d7": "x", "\u2265": ">=",
    "\u2264": "<=", "\u2192": "->", "\u00b7": "-", "\u2022": "-", "\u2026": "...", "\u2018": "'",
    "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00b5": "u", "\u03bc": "u", "\u2009": " ",
    "\u202f": " ", "\u00a0": " ",
}  # fmt: skip
LONGEST_LINE = 600
WIDTH_WHEN_PIPED = 120


def plain_characters(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: write what a terminal cannot show in its nearest plain form, else `?`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = ""
    for character in error.object[error.start : error.end]:
        bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        text += PLAIN.get(character) or bare or "?"
    return text, error.end


def make_streams_safe() -> None:
    """Let stdout and stderr replace what their encoding lacks instead of raising."""
    codecs.register_error("metachron.plain", plain_characters)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="metachron.plain")


def silence_stdout() -> None:
    """After a broken pipe: nobody reads any more, and the last flush must not complain."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, sys.stdout.fileno())
    except (OSError, ValueError):  # no real stdout (captured or closed)
        pass
    finally:
        os.close(null)


def clean(text: str) -> str:
    """One printable line: no control or escape characters from a hostile file, no endless line."""
    text = "".join(c if c.isprintable() else "?" for c in text.replace("\n", " ").replace("\t", " "))
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 3] + "..."


def say(message: str) -> None:
    """One line on stderr, where everything goes that is not the result."""
    print(clean(message), file=sys.stderr, flush=True)


def output_console() -> Console:
    """Console for results; wide enough for a table when nobody told how wide a pipe is."""
    from rich.console import Console

    piped = not sys.stdout.isatty() and not os.environ.get("COLUMNS")
    return Console(width=WIDTH_WHEN_PIPED if piped else None, highlight=False)


@contextmanager
def progress_shown() -> Iterator[Progress]:
    """A bar on stderr in a terminal, one plain line for each new stage elsewhere.

    Yields a function of the stage in words and the share done (0 to 1).
    """
    if not sys.stderr.isatty():
        yield plain_progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda stage, share: bar.update(task, description=clean(stage), completed=share)


def plain_progress() -> Progress:
    """Say each stage once, whatever the number of calls within it."""
    last = ""

    def show(stage: str, share: float) -> None:
        nonlocal last
        if stage != last:
            last = stage
            say(f"[{100 * min(max(share, 0.0), 1.0):3.0f} %] {stage}")

    return show
