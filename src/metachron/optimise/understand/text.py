"""Titles inside sentences: abbreviations keep their capitals."""

from __future__ import annotations


def opening(title: str) -> str:
    """The title at the beginning of a sentence."""
    return title[:1].upper() + title[1:]


def within(title: str) -> str:
    """The title within a sentence: a capital that opens a word is lowered, those of RAS or CT stay."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def unit_of(unit: str) -> str:
    """The unit after a number, with its space; nothing for a pure number."""
    return "" if unit in ("", "1") else f" {unit}"
