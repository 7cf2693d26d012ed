"""The tracker endpoints of the sandbox: `/api/tracker/*` of every version, and the old ones that 2.42 removed.

Belongs here: parameters, rows, members, envelopes, and differences put between the two families of endpoints.
Does not belong here: who is enrolled (see ``hic_assets.sandbox.world.trackers``) and the wiring (``server.app``).
"""
