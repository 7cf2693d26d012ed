"""Errors of the warehouse connection and of the embedded server.

Every message says what failed, where (never with a password) and what to do. Nothing else belongs here.
"""


class WarehouseError(RuntimeError):
    """The warehouse cannot be used as configured; the message is fit to show to an operator as it is."""


class EmbeddedServerError(WarehouseError):
    """The embedded PostgreSQL cannot be created, started or stopped."""
