"""`python -m metachron` does what the `metachron` command does."""

from __future__ import annotations

from metachron.cli import main

if __name__ == "__main__":
    main()
