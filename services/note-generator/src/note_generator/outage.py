"""An outage is no failed message: what could not be done is kept, and tried again for as long as it lasts."""


class Away(Exception):
    """Something that this service needs does not answer. The work itself is fine."""


class RecordAway(Away):
    """fix-outcomes, or the broker on the way to it."""


class CacheAway(Away):
    """Redis."""


class BrokerAway(Away):
    """RabbitMQ, as a place to publish to."""
