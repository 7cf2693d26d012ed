"""One declaration a national system: where its tables come from, how often, who owns them.

Opening this folder shows the mission. Belongs here: declarations. Does not: code that reads, lands or judges.
"""

from hic_assets.systems.cancer_registry import CANCER_REGISTRY
from hic_assets.systems.cemr import CEMR
from hic_assets.systems.declare import Programme, System
from hic_assets.systems.ebuzima import EBUZIMA
from hic_assets.systems.efiche import EFICHE
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.systems.hmis import HMIS
from hic_assets.systems.hmis_tracker import HMIS_TRACKER
from hic_assets.systems.hpemr import HPEMR
from hic_assets.systems.idsr import IDSR
from hic_assets.systems.immunization_tracker import IMMUNIZATION_TRACKER

SYSTEMS: tuple[System, ...] = (
    HMIS,
    HMIS_TRACKER,
    HIV_TRACKER,
    IMMUNIZATION_TRACKER,
    CANCER_REGISTRY,
    EFICHE,
    HPEMR,
    EBUZIMA,
    CEMR,
    IDSR,
)
PROGRAMMES: tuple[Programme, ...] = tuple(programme for system in SYSTEMS for programme in system.programmes)

__all__ = ["HMIS", "PROGRAMMES", "SYSTEMS", "Programme", "System"]
