"""Settings: environment variables `WATCHROOM_*`, read once at start.

In: the environment, files with secrets in the folder `WATCHROOM_SECRETS_DIR` (such as `watchroom_redis_url`), and
options of the command line. Out: `Settings`, checked, or a list of every fault. Every default works on one machine, and
durations carry their unit in the name. It may import everything below the processes.

Start with `model` (all settings), then `values` (what a value may be) and `read` (how faults become messages).
"""

from watchroom.settings.model import Settings
from watchroom.settings.read import read_settings
from watchroom.settings.values import PREFIX, Area, Days, SourceRule

__all__ = ["PREFIX", "Area", "Days", "Settings", "SourceRule", "read_settings"]
