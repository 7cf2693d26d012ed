"""The country the sandbox serves: pure functions of a seed, and nothing of HTTP.

Belongs here: geography, facilities, data elements, reports, values, the persons of the trackers, and changes somebody
made to them.
Does not belong here: requests, dialects, faults (see ``hic_assets.sandbox.server``).
"""

from hic_assets.sandbox.world.country import World

__all__ = ["World"]
