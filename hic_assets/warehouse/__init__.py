"""The warehouse database: where it is, how to connect, which schemas it has, and the embedded server.

What is landed in it belongs to `landing`; what is modelled in it to the dbt project.
"""

from hic_assets.warehouse.connect import existing_warehouse, open_warehouse
from hic_assets.warehouse.connection import Warehouse
from hic_assets.warehouse.errors import EmbeddedServerError, WarehouseError
from hic_assets.warehouse.schema import SCHEMAS, create_schemas

__all__ = [
    "SCHEMAS",
    "EmbeddedServerError",
    "Warehouse",
    "WarehouseError",
    "create_schemas",
    "existing_warehouse",
    "open_warehouse",
]
