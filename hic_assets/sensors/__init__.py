"""What has to be loaded again, and asking for it: a sensor a system, and the weekly comparison of trackers' keys.

Belongs here: from what a source changed to run requests. Does not: reading partitions (``assets``), schedules.
"""
