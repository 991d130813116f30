"""What one process has used, from Linux's own accounts: its own threads only, no children."""

from __future__ import annotations

from pathlib import Path


def cpu_s(pid: int) -> float:
    """CPU time of a process up to now, user and system, over its living threads (exact to the nanosecond)."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def memory_mb(pid: int) -> float:
    """Resident memory of a process, MB of 10**6 bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) * 1024 / 1e6
