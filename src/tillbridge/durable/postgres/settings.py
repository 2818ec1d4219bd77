"""Server settings: what safety demands on every start, and sizes an owner may change.

`SAFETY` goes on the command line and so wins over every file and ALTER SYSTEM: an acknowledged
commit is on disk, a torn or rotten page is found, nobody comes in but over loopback with a
password. `SIZES` is written once into the new cluster's postgresql.conf, for a machine of 2 cores
and any memory from 2 GiB up; change it there or by ALTER SYSTEM.
"""

from __future__ import annotations

SAFETY = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "data_sync_retry": "off",  # a failed fsync may have lost pages: crash and recover, never retry
    "restart_after_crash": "on",
    "wal_level": "replica",  # physical backups
    "logging_collector": "off",  # standard error is our log file
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # an error's details quote rows, and rows hold buyers
    "log_parameter_max_length": "0",  # the same for parameters
    "log_parameter_max_length_on_error": "0",
    "log_startup_progress_interval": "2s",  # a long recovery tells how far it is
    "lc_messages": "C",  # the log is read by programs too
}

SIZES = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "4GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "min_wal_size": "1GB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",  # solid state disks
    "jit": "off",  # short statements
    "max_wal_senders": "4",
    "timezone": "UTC",
    "log_lock_waits": "on",
    "deadlock_timeout": "100ms",  # who may have to begin again should not wait long to know
    "autovacuum_naptime": "15s",  # queue tables turn over quickly
}


def as_arguments(settings: dict[str, str]) -> list[str]:
    """Settings as arguments of `postgres`."""
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def as_lines(settings: dict[str, str]) -> str:
    """Settings as lines of postgresql.conf."""
    return "".join(f"{name} = '{value}'\n" for name, value in settings.items())
