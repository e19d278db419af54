"""When Python looks for garbage. Looking through all that was imported was a tenth of a service's work under load."""

import gc
from typing import Final

_OBJECTS_UNTIL_COLLECTED: Final = 20_000


def collect_seldom() -> None:
    """What was made so far stays, and is not looked through again; the rest is, but not so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTED)
