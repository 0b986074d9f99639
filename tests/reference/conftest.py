"""Lets the tests of this folder use `handmade`, the twins and programmes of the tests of the engine."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))
