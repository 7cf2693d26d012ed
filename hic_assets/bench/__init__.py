"""Measurements that the project's claims rest on, each run side by side with what it is compared to.

Belongs here: benchmarks a user can run (``hic bench``). Does not: assertions (tests never assert seconds).
"""
