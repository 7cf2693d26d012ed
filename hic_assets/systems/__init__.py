"""One declaration a national system: where its tables come from, how often, who owns them.

Opening this folder shows the mission. Belongs here: declarations. Does not: code that reads, lands or judges.
"""

from hic_assets.systems.declare import System
from hic_assets.systems.hmis import HMIS

SYSTEMS: tuple[System, ...] = (HMIS,)

__all__ = ["HMIS", "SYSTEMS", "System"]
