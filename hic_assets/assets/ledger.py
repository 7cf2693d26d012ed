"""What the warehouse keeps of its own work, as Dagster sees it: written by loads, checks and commands, materialised by none."""

import dagster as dg


def _kept(name: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["ops", name],
        description=description,
        group_name="operations",
        owners=["team:data-engineering"],
        kinds={"postgres"},
        metadata={"dagster/table_name": f"ops.{name}"},
    )


ledger = [
    _kept(
        "load",
        "Ledger of loads: one row a table, partition and load, with rows read, landed, quarantined and duplicate. "
        "Every load of a raw table writes its own row, so there is nothing to materialise.",
    ),
    _kept("programme", "The tracker programmes as declared; written when the warehouse is opened."),
    _kept("programme_source", "The pipeline each tracker programme is read from now; 'hic cutover' changes it."),
    _kept("parity_state", "Legacy against unified by programme, table and partition; the parity checks write it."),
    _kept("cutover_readiness", "Whether each tracker programme may be signed off, and why not."),
    _kept("idsr_alert_fired", "Outbreak alerts as they fired first; kept when later reports take one back."),
    _kept("cutover", "Sign-offs of tracker programmes and their undoing; 'hic cutover' writes them."),
]
