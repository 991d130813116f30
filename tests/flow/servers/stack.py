"""A broker and a store for one test, real or embedded, with names of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from watchroom.settings import Settings, read_settings


@dataclass(frozen=True)
class Stack:
    """Where broker and store are, and a name that no other test uses.

    Force, topic prefix, consumer group and static member are all named by it, so tests share servers
    without meeting each other.
    """

    kind: Literal["real", "embedded"]
    kafka: str
    redis_url: str
    name: str

    def given(self) -> dict[str, Any]:
        """The settings that make a process use this stack and nothing else."""
        return {
            "kafka": self.kafka,
            "redis_url": self.redis_url,
            "force": self.name,
            "topic_prefix": self.name,
            "group": self.name,
            "worker_name": self.name,
            "session_timeout_s": 6,
        }

    def settings(self, **more: Any) -> Settings:
        """Settings on this stack; `more` overrides them."""
        return read_settings(**{**self.given(), **more})

    def environment(self, **more: object) -> dict[str, str]:
        """The same as environment variables for a process, `more` by the settings' names (JSON for tables)."""
        return {f"WATCHROOM_{name.upper()}": str(value) for name, value in {**self.given(), **more}.items()}
