"""Outbreak alerts on weekly counts: fixed thresholds, EARS C1 to C3, Farrington flexible, and how well they do.

Belongs here: arithmetic on arrays. Does not belong here: where counts come from, which disease has which rule, and
where alerts are written.
"""

from hic_assets.alerts.ears import ears_c1, ears_c2, ears_c3
from hic_assets.alerts.evaluate import Outbreak, Performance, evaluate
from hic_assets.alerts.farrington import FarringtonAlerts, farrington_flexible
from hic_assets.alerts.options import FarringtonOptions
from hic_assets.alerts.result import Alerts
from hic_assets.alerts.thresholds import fixed_threshold

__all__ = [
    "Alerts",
    "FarringtonAlerts",
    "FarringtonOptions",
    "Outbreak",
    "Performance",
    "ears_c1",
    "ears_c2",
    "ears_c3",
    "evaluate",
    "farrington_flexible",
    "fixed_threshold",
]
