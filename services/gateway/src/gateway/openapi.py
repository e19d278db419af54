"""`python -m gateway.openapi`: the API's description, without a server; the page's types are made from it."""

import json
import sys

from gateway.app import create_app
from gateway.settings import Settings


def main() -> None:
    """Write the OpenAPI document to standard output. The settings are never used: nothing is started."""
    placeholder = "no server is started to describe the API"
    settings = Settings.model_validate(
        {
            "port": 1,
            "amqp_url": "amqp://nowhere",
            "redis_url": "redis://nowhere",
            "operation_key": placeholder,
            "jwt_secret": placeholder,
        }
    )
    json.dump(create_app(settings).openapi(), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
