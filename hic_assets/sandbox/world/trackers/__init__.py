"""The patient-level programmes of the sandbox: persons, and what four DHIS2 trackers know of them.

Belongs here: who is enrolled where, what happened, and how it was written down. Does not belong here: requests,
dialects, differences between two API families (see ``hic_assets.sandbox.server``).
"""
