"""Outbreak alerts on weekly counts: fixed thresholds, EARS C1 to C3, Farrington flexible, and how well they do.

Methods are arithmetic on arrays (`thresholds`, `ears`, `farrington`, `evaluate`). Above them: which disease has which rule
(`rules`, from the seed `idsr_alert_rule`), what a rule says of a week (`judge`), the verdicts of a country (`weekly`), and
their table (`warehouse`). Does not belong here: how counts come to be (dbt), and when alerts are run (`assets.alerts`).
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
