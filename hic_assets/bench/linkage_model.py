"""``python -m hic_assets.bench.linkage_model``: make the model that ships, from the records of a sandbox country.

Nobody tells it who is who. The seed of the country is none that the benchmark or a test measures with.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hic_assets.bench.linkage_records import sandbox_records
from hic_assets.linkage import training
from hic_assets.sandbox.world.country import World

SEED, SCALE = 77, 0.05


def main(path: Path) -> None:
    """Train and write."""
    records, _ = sandbox_records(World(seed=SEED, scale=SCALE))
    training.train(records, trained_on=f"the sandbox, seed {SEED}, scale {SCALE}").save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(training.__file__).with_name("model.json"))
