"""The form in which a feed's text is looked up among listed values."""

from __future__ import annotations

import re
from functools import lru_cache

_BETWEEN_WORDS = re.compile(r"[\s_\-/&(),.']+")
_LETTER = re.compile(r"[a-z]")


@lru_cache(maxsize=4096)  # a feed repeats the same few texts
def slug(text: str) -> str:
    """The form in which a feed's text is looked up among listed values: lower case, words joined by `_`.

    "Public order" and "public-order" are public_order, "Stoke-on-Trent (North)" is stoke_on_trent_north. Signs and
    letters of other scripts stay, so that grade "-1" or "É1" does not become grade 1.
    """
    joined = _BETWEEN_WORDS.sub("_", text.strip().lower())
    return joined.strip("_") if _LETTER.search(joined) else joined
