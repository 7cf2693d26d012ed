"""The tests that `make test-long` runs and `make test` leaves out: whole demos and services, kills of servers, two loads at once, and
sweeps of which `make test` has one of each kind: one version of DHIS2, one system of a kind, one moment of a kill.

Belongs here: which, for what they cost. `.ci/run` runs both.
"""

from __future__ import annotations

import re
from pathlib import Path

# Of the systems one of the REST systems, and what only others have; DHIS2's aggregate has fault/, its trackers tracker/.
_OTHER_SYSTEMS = r"^(?!test_the_same_where_a_token|test_a_code_that_nobody).*\[(?!efiche\b)"
# PostgreSQL 18 is embedded; an older one, where there is one, with the sweeps.
_OTHER_SERVER = r"\[system\b"
# By file, below tests/: of which names of tests, parameters included.
_LONG = {
    "cli/test_commands.py": "wrong_credentials|without_credentials",
    "cli/test_demo.py": "from_nothing|a_run_that_fails",
    "cli/test_dev.py": "ctrl_c",
    "cli/test_manifest.py": "parsed_when_something_changed",
    "cli/test_staging.py": "writes_once",
    "contract/test_clinical_records.py": r"\[(?!.*efiche)",
    "dagster/test_dead_runs.py": "killed_run",
    "dagster/test_graph.py": "validates_the_workspace",
    "dagster/test_roles_after_build.py": "False",
    "docker/test_contributing.py": "",
    "docker/test_services.py": "",
    "dbt/test_changes.py": "metadata_are_taken_up|keeps_its_history",
    "dbt/test_clinical_changes.py": "",
    "dbt/test_clinical_facts.py": r"is_lost_is_told\[(?!visits\])",
    "dbt/test_identity_marts.py": "in_the_crosswalk",
    "dbt/test_independent_evaluation.py": r"sandbox_country|every_level|of_dhis2|sensitive",
    "dbt/test_marts_disclosure.py": "mothers|hiv|registered_deaths",
    "dbt/test_parsed.py": "another_server",
    "dbt/test_programme_facts.py": r"case_of_another_month\[(?!o72.1-)",
    "dbt/test_quality_formulas.py": "by_a_variable",
    "fault/test_access.py": r"every_dialect.*\[(?!2\.40)",
    "fault/test_changes.py": r"exactly_the_touched.*\[(?!2\.40)",
    "fault/test_kill.py": r"random_moment|for_a_reader|two_partitions|\[complete_registrations\]",
    "fault/test_kill_disk.py": "for_bodies",
    "fault/test_kill_dbt.py": "",
    "fault/test_kill_server.py": "",
    "fault/test_kill_together.py": "",
    "fault/test_ranges.py": r"that_fails_keeps.*\[(?!unavailable)",
    "linkage/test_accuracy.py": "febrl|deterministic",
    "linkage/test_batches.py": "",
    "real/test_facility_list.py": "",
    "systems/test_changes.py": _OTHER_SYSTEMS,
    "systems/test_faults.py": _OTHER_SYSTEMS,
    "systems/test_hostile.py": _OTHER_SYSTEMS,
    "systems/test_kill.py": "",
    "tracker/test_tracker_differences.py": r"\[.*-legacy\]",
    "tracker/test_tracker_drift.py": r"every_programme_settles|\[(?!2\.40)",
    "tracker/test_tracker_kill.py": r"while_it_reads\[(?!9\])",
    "tracker/test_tracker_parity.py": r"\[(?!2\.40)",
    "warehouse/test_roles.py": _OTHER_SERVER,
    "warehouse/test_roles_attacks.py": _OTHER_SERVER,
    "warehouse/test_roles_catalogue.py": _OTHER_SERVER,
    "warehouse/test_roles_work.py": _OTHER_SERVER,
}


def is_long(file: Path, name: str) -> bool:
    """Whether a test, by its file below tests/ and its name, is left to `make test-long`."""
    pattern = _LONG.get(file.as_posix())
    return pattern is not None and re.search(pattern, name) is not None
