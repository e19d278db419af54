"""Which settings a container reads, by its image and its command, and which it is given."""

from collections.abc import Iterator

from devstack.settings_document import MODELS
from manifests import Resource, name_of, of_kind
from pydantic_settings import BaseSettings

COMMANDS = {
    ("gateway", "run"): "gateway",
    ("fix-outcomes", "run"): "fix-outcomes run",
    ("note-generator", "run"): "note-generator run",
    ("fix-outcomes", "database apply"): "fix-outcomes database apply",
    ("fix-outcomes", "topology apply"): "fix-outcomes topology apply",
    ("note-generator", "cache users"): "note-generator cache users",
}


OF_PYTHON = {"SSL_CERT_FILE"}


def model(service: str, command: str) -> type[BaseSettings]:
    """The settings of a service's command."""
    return MODELS[COMMANDS[service, command]]


def _model(container: Resource) -> type[BaseSettings]:
    service = container["image"].partition("resolutionflow/")[2].partition(":")[0].partition("@")[0]
    return model(service, " ".join(container.get("args", ["run"])[:2]))


def names(of: type[BaseSettings], *, required: bool = False) -> set[str]:
    """The names of its settings, as files and ConfigMaps have them but for case."""
    prefix = str(of.model_config["env_prefix"]).lower()
    return {
        f"{prefix}{name}" for name, field in of.model_fields.items() if field.is_required() or not required
    }


def settings_of(container: Resource) -> set[str]:
    """Every setting that it knows."""
    return names(_model(container))


def required_by(container: Resource) -> set[str]:
    """Every setting that it cannot do without."""
    return names(_model(container), required=True)


def given_to(overlay: str, pod: Resource, container: Resource) -> set[str]:
    """Every setting that the manifests give it: in ConfigMaps, and as files of Secrets."""
    given = set(_given(overlay, pod, container))
    return given if "run" in container.get("args", ["run"]) else given - set(_by_the_image(container))


def _by_the_image(container: Resource) -> Iterator[str]:
    return (f"{container['name'].replace('-', '_')}_{each}" for each in ("host", "port"))


def _given(overlay: str, pod: Resource, container: Resource) -> Iterator[str]:
    maps = {name_of(each): each["data"] for each in of_kind(overlay, "ConfigMap")}
    secrets = {name_of(each): each["data"] for each in of_kind(overlay, "Secret")}
    yield from _by_the_image(container)
    for reference in container.get("envFrom", ()):
        yield from (key.lower() for key in maps[reference["configMapRef"]["name"]])
    yield from (each["name"].lower() for each in container.get("env", ()) if each["name"] not in OF_PYTHON)
    for volume in pod["volumes"]:
        if volume["name"] == "secrets" and volume["secret"]["secretName"] in secrets:
            yield from secrets[volume["secret"]["secretName"]]
