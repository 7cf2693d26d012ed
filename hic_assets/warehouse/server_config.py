"""Server settings of the embedded PostgreSQL, and what its failures mean. Pure functions: no effect, no path.

Settings are for a small machine with one warehouse on it, written for the loads this warehouse has: few
connections, large COPYs, large sorted rebuilds. Values chosen by an administrator of a real server belong
to that server.
"""

from __future__ import annotations

from collections.abc import Mapping

MEGABYTE = 1024 * 1024


def server_settings(memory: int, shared_memory: int | None) -> dict[str, str]:
    """Settings for `memory` bytes of RAM and `shared_memory` bytes of /dev/shm (None: there is none)."""
    buffers = min(max(memory // 16 // MEGABYTE, 128), 512)
    settings = {
        "listen_addresses": "127.0.0.1",
        # No Unix socket: its path is limited to about 100 bytes and a deep checkout is longer.
        "unix_socket_directories": "",
        "max_connections": "100",
        "shared_buffers": f"{buffers}MB",
        "effective_cache_size": f"{max(memory // 2 // MEGABYTE, 256)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "256MB",
        # One server, no replica: the log need not carry what only a replica reads.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "synchronous_commit": "on",
        "autovacuum": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "password_encryption": "scram-sha-256",
        "scram_iterations": "4096",
        # A week of logs, overwritten: the server may run for months.
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_truncate_on_rotation": "on",
        "log_line_prefix": "%m [%p] %q%a %d ",
    }
    if shared_memory is not None and shared_memory < 512 * MEGABYTE:
        # A container has 64 MB: a parallel hash join would end in "could not resize shared memory".
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def render(settings: Mapping[str, str]) -> str:
    """The settings as a PostgreSQL configuration file."""
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in sorted(settings.items())]
    return "\n".join(["# Written by hic at every start; changes here are lost.", *lines, ""])


def port_is_taken(output: str) -> bool:
    """Whether the output of a failed start says that another process has the port."""
    return "Address already in use" in output or "could not bind IPv4" in output


def is_still_in_use(output: str) -> bool:
    """Whether a start failed because processes of a killed server have not ended yet."""
    return "pre-existing shared memory block" in output


def explain(action: str, data_directory: str, output: str) -> str:
    """One message for a failed initdb or pg_ctl: what failed, where, why and what to do."""
    tail = "\n".join(line for line in output.strip().splitlines()[-8:])
    if "No space left on device" in output or "could not extend file" in output:
        advice = "The disk is full: free space there, or set HIC_HOME to a folder on another disk."
    elif "Permission denied" in output:
        advice = "The server's account may not write there: check the owner of the folder, or set HIC_HOME."
    elif port_is_taken(output):
        advice = "Another process took the port at that moment: run the command again."
    elif "could not create shared memory segment" in output or "could not map anonymous shared memory" in output:
        advice = "There is not enough memory: stop something, or use another server by HIC_WAREHOUSE_URL."
    elif "invalid value for parameter" in output or "unrecognized configuration parameter" in output:
        advice = "The server refuses its configuration."
    else:
        advice = "PostgreSQL said:"
    return f"{action} of the embedded PostgreSQL in {data_directory} failed. {advice}\n{tail}"
