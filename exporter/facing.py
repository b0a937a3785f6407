"""Sections of the settings about where people, Prometheus and the container platform look.

As in `config`, which puts them in their places.
"""

from dataclasses import dataclass
from typing import Any

from exporter.addresses import address, page_url
from exporter.keys import setting
from exporter.values import names, path, switch


def config_file() -> Any:  # noqa: ANN401 (a field of any type)
    """The setting of any process that serves pages."""
    return setting(
        None,
        "YAML file of TLS, users, headers and a rate limit, in the format of Prometheus' exporters; it and its"
        " certificates are read again when they change.",
        path,
        alias="web.config.file",
    )


def allowed_hosts() -> Any:  # noqa: ANN401 (a field of any type)
    """As that."""
    return setting(
        (),
        "Names by which it may be asked for, beside localhost and addresses; any where left out, but for an address of"
        " loopback, of which it is none.",
        names,
    )


@dataclass(frozen=True, slots=True)
class Web:
    """Where people and Prometheus look."""

    listen_address: str = setting("0.0.0.0:9877", "Address of /metrics and the status page.", address)
    config_file: str | None = config_file()
    allowed_hosts: tuple[str, ...] = allowed_hosts()
    enable_lifecycle: bool = setting(
        False, "Whether POST /-/observe may switch observation, /-/reload read settings, /-/quit end it.", switch,
        "false",
    )  # fmt: skip
    grafana_url: str | None = setting(
        None, "Where people open Grafana; then the status page leads to the dashboards of each model.", page_url
    )
    alertmanager_url: str | None = setting(
        None, "Where people open Alertmanager; then the status page leads to the alerts of each model.", page_url
    )


@dataclass(frozen=True, slots=True)
class Health:
    """Where the container platform looks."""

    listen_address: str = setting(
        "0.0.0.0:9878", "Address of /-/healthy and /-/ready, answered by the supervisor.", address
    )
