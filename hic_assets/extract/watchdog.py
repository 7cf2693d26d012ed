"""A bound on one whole reply, its headers included.

Time-outs of sockets are on silence: a server that trickles a header a byte a minute would never meet one. The
watchdog cuts the connection that its thread waits on. What that is to mean to the caller is `http.py`'s.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

_here = threading.local()


class Watchdog:
    """Use as a context manager around a request and the reading of its body. `barked`: it had to cut."""

    def __init__(self, seconds: float) -> None:
        self.barked = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._outer: Watchdog | None = None
        self._timer = threading.Timer(max(seconds, 0.0), self._bark)
        self._timer.daemon = True

    def __enter__(self) -> Watchdog:
        # A request may need another first: that for a token.
        self._outer = getattr(_here, "watchdog", None)
        _here.watchdog = self
        self._timer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()
        _here.watchdog = self._outer
        with self._lock:
            self._socket = None

    def watch(self, connected: socket.socket | None) -> None:
        """The connection to cut."""
        with self._lock:
            self._socket = connected
        if self.barked:
            self._cut()

    def _bark(self) -> None:
        self.barked = True
        self._cut()

    def _cut(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                # Not the method of TLS sockets, which would take their state from under the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class WatchedAdapter(HTTPAdapter):
    """Makes connections that tell the watchdog of their thread when they wait for a reply."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests makes it, with connections of ours."""
        super().init_poolmanager(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """As requests makes it, with connections of ours."""
        manager = super().proxy_manager_for(*args, **kwargs)  # type: ignore[no-untyped-call]
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager


class _Watched:
    def getresponse(self) -> Any:
        watchdog: Watchdog | None = getattr(_here, "watchdog", None)
        if watchdog is not None:
            watchdog.watch(self.sock)  # type: ignore[attr-defined]
        return super().getresponse()  # type: ignore[misc]


class _Connection(_Watched, HTTPConnection):
    pass


class _SecureConnection(_Watched, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection  # type: ignore[assignment]


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # type: ignore[assignment]
