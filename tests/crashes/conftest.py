"""How often and how long are the parts killed?"""

from __future__ import annotations

import os

#: CI takes three storms of 30 seconds; a nightly run fifty of three minutes:
#: PORCHLIGHT_CRASH_SEEDS=50 PORCHLIGHT_CRASH_SECONDS=180 ./porchlight test tests/crashes
SEEDS = int(os.environ.get("PORCHLIGHT_CRASH_SEEDS", "3"))
SECONDS = float(os.environ.get("PORCHLIGHT_CRASH_SECONDS", "30"))
