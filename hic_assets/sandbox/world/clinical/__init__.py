"""The clinical and surveillance systems that are not DHIS2: what their records say, whoever asks.

Belongs here: records on the persons and facilities of the trackers. Does not belong here: HTTP and formats (see
``hic_assets.sandbox.server.clinical``).
"""
