"""How batches become a committed raw partition: contract, quarantine, COPY, atomic replacement, ledger.

Belongs here: everything between a batch of text columns and a committed partition. Does not: where batches
come from (``extract``), what a system is (``systems``), anything of Dagster (``assets``).
"""
