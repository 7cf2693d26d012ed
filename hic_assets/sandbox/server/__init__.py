"""The sandbox's country served as a DHIS2 over HTTP.

Belongs here: dialects, authentication, endpoints, faults and the control endpoint.
Does not belong here: what the country contains (see ``hic_assets.sandbox.world``).
"""
