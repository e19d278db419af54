"""`python -m devstack`, and the script `devstack`."""

from devstack.cli import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
