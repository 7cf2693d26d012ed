"""The load ledger as Dagster sees it: written by every load, materialised by none, read by models."""

import dagster as dg

ledger = dg.AssetSpec(
    ["ops", "load"],
    description=(
        "Ledger of loads: one row a table, partition and load, with rows read, landed, quarantined and duplicate. "
        "Every load of a raw table writes its own row, so there is nothing to materialise."
    ),
    group_name="operations",
    owners=["team:data-engineering"],
    kinds={"postgres"},
    metadata={"dagster/table_name": "ops.load"},
)
