"""Every clinical system of the sandbox: adding one is a line here and a line in ``server/clinical/__init__.py``."""

from __future__ import annotations

from hic_assets.sandbox.world.clinical import cemr, ebuzima, efiche, hpemr, idsr
from hic_assets.sandbox.world.clinical.base import ClinicalSystem

SYSTEMS: tuple[ClinicalSystem, ...] = (
    efiche.SYSTEM,
    hpemr.SYSTEM,
    ebuzima.SYSTEM,
    cemr.SYSTEM,
    idsr.SYSTEM,
)
