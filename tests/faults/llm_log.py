"""What the model was asked, as its stand-in wrote it down."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `about` is the same for two calls that ask for the same document of the same version."""

    at: float
    about: str
    account: str
    usd: float = 0.0
