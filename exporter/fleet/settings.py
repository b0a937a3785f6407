"""Every setting of `inference-exporter fleet`, once; as in `config`, which has those of `serve`."""

import math
import re
from dataclasses import dataclass, field
from typing import Final

from exporter.addresses import address
from exporter.facing import allowed_hosts, config_file
from exporter.guarantees import Evidence
from exporter.keys import setting
from exporter.sections import State
from exporter.values import duration, integer, label_value, one_of, path, pause

OWN_LABELS: Final = frozenset((
    "model", "model_version", "profile", "feature", "output", "bin", "text", "owner", "severity", "kind", "shape",
    "shift", "source", "reason", "stage",
))  # fmt: skip
"""What series of ours have: nobody groups by it."""
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]+=[\x20-\x7e]*")


def _items(value: object, example: str) -> list[str]:
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return [one for one in value if one]
    raise ValueError(f"must be a list such as {example}, not {value!r}")


def _labels(value: object) -> tuple[str, ...]:
    found = _items([one.strip() for one in value.strip("[] ").split(",")] if isinstance(value, str) else value,
                   "cluster,namespace,job")  # fmt: skip
    for one in found:
        if not _LABEL.fullmatch(one) or one in OWN_LABELS or one.startswith("__"):
            raise ValueError(f"must be labels that your scrape adds, not {one!r}")
    if len(set(found)) < len(found):
        raise ValueError("must not name a label twice")
    return tuple(found)


def _matchers(value: object) -> str:
    """What stands between braces, given with them or without."""
    text = label_value(value).strip()
    inside = text[1:-1].strip() if text.startswith("{") and text.endswith("}") else text
    if "=" not in inside:
        raise ValueError(f'must be such as {{job="models"}}, not {text!r}')
    return inside.rstrip(", ")


def _headers(value: object) -> tuple[str, ...]:
    found = _items([value] if isinstance(value, str) else value, "X-Scope-OrgID=team")
    if not all(_HEADER.fullmatch(one) for one in found):
        raise ValueError("must be NAME=VALUE such as X-Scope-OrgID=team")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Who has counted."""

    url: str | None = setting(
        None,
        "Root of a Prometheus, Thanos or Mimir that has the exporters' series: http://prometheus:9090.",
        label_value,
    )
    bearer_token_file: str | None = setting(None, "File of a bearer token.", path)
    basic_auth_file: str | None = setting(None, "File of a line USER:PASSWORD.", path)
    ca_file: str | None = setting(
        None, "PEM file of the authorities to be trusted; the usual ones where left out.", path
    )
    headers: tuple[str, ...] = setting(
        (), "NAME=VALUE that is sent along, such as X-Scope-OrgID=team. The flag may be repeated.", _headers,
        flag="prometheus.header",
    )  # fmt: skip
    timeout: float = setting(30.0, "How long it may be silent in the midst of an answer.", duration, "30s")

    def __post_init__(self) -> None:
        if self.bearer_token_file and self.basic_auth_file:
            raise ValueError("bearer_token_file: cannot be said beside prometheus.basic_auth_file")


@dataclass(frozen=True, slots=True)
class Web:
    """Where people and Prometheus look."""

    listen_address: str = setting("0.0.0.0:9879", "Address of /metrics and the status page.", address)
    config_file: str | None = config_file()
    allowed_hosts: tuple[str, ...] = allowed_hosts()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `fleet` can be told."""

    selector: str | None = setting(
        None, 'Which series of the exporters count, such as {job="models"}; all where left out.', _matchers
    )
    by: tuple[str, ...] = setting(
        ("cluster", "namespace", "job"),
        "Labels that tell fleets apart: what differs in one of them is never added up.",
        _labels,
        "[cluster, namespace, job]",
    )
    pane: float = setting(60.0, "Width of a pane; scrapes should not be farther apart.", duration, "1m")
    lag: float = setting(
        30.0,
        "How long after the end of a pane it is asked for, so that its last scrape is there (with Mimir or remote write"
        " longer than samples take to arrive).",
        pause,
        "30s",
    )
    catch_up: int = setting(
        60, "Most panes that are asked for later, after a pause of ours or of Prometheus; older ones are left out.",
        integer(0, 1440),
    )  # fmt: skip
    limit: int = setting(
        100, "Most models, versions and profiles of fleets that are watched; further ones are left out and counted.",
        integer(1, 1000),
    )  # fmt: skip
    log_level: str = setting("info", "Least severe message logged.", one_of("debug", "info", "warning", "error"))
    prometheus: Prometheus = field(default_factory=Prometheus)
    web: Web = field(default_factory=Web)
    evidence: Evidence = field(default_factory=Evidence)
    state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        if not math.isclose(self.pane * 1000, round(self.pane * 1000), rel_tol=1e-9):
            raise ValueError("pane: must be a number of milliseconds")
        if self.evidence.group_key is not None:
            raise ValueError("evidence.group_key: cannot be had of counts; the dependence factor stands in for it")
