"""What dbt's fork server imports before its first fork, so that no call pays for imports."""

import dbt.adapters.postgres
import dbt.cli.main  # noqa: F401
