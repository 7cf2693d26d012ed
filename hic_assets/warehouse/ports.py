"""TCP ports on the loopback address for the embedded server, which remembers the one it took."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

from hic_assets.warehouse.errors import EmbeddedServerError

HOST = "127.0.0.1"
FIRST_PORT, PORTS = 15432, 500


def free_ports(remembered: int | None) -> Iterator[int]:
    """The remembered port first if it is free, then the free ones of a fixed range.

    The range is below the ephemeral ports, so that no outgoing connection borrows ours while the server is
    down. Raises EmbeddedServerError when all are taken.
    """
    if remembered is not None and is_free(remembered):
        yield remembered
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        if port != remembered and is_free(port):
            yield port
    raise EmbeddedServerError(f"no free port on {HOST} from {FIRST_PORT} to {FIRST_PORT + PORTS - 1}")


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does: TIME_WAIT is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
