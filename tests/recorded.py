"""Where the recorded responses of real servers are, which are not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

REAL = Path(os.environ.get("HIC_REAL_DIR", Path(__file__).resolve().parents[2] / "shared" / "real"))
"""`HIC_REAL_DIR`, else `shared/real` beside the checkout. Tests that read it skip where it is absent."""
