"""What people choose when the dashboards are written: where they are put, whom they ask, and about what."""

import json
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from exporter import catalogue
from exporter.dashboards.links import KEPT
from exporter.dashboards.queries import FEATURES, TARGET
from exporter.errors import ConfigError
from exporter.families import FLEET

OFF: Final = "off"
"""The refresh of those who look again when they want to."""
_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^]")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_UID: Final = re.compile(r"[a-zA-Z0-9_-]{1,40}")
_REFRESH: Final = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)")
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LEAST_REFRESH_S: Final = 5
_LONGEST_TITLE: Final = 189
"""What Grafana's database has room for."""
_ROOT: Final = "general"
"""What Grafana calls the place outside all folders; no folder may be called so."""
_OURS: Final = frozenset({"instance", "le", "alertname", "alertstate", "severity", "check"})
"""Labels that queries ask by or results are told apart by, though no family has them: some are given by rules."""
_SOURCE: Final = "${datasource}"
_WAY: Final = "${%s:queryparam}&"
"""How links keep what is chosen."""


class Choice(NamedTuple):
    """Of the command's flags; as it stands, what is shipped."""

    datasource: str = ""
    """The uid of a data source to ask, whatever is chosen; empty: the one chosen at the top, `prometheus` first."""
    folder: str = "Model monitoring"
    features: Sequence[str] = ()
    """The only features to show; empty: all."""
    labels: Sequence[str] = ()
    """Labels of targets to choose by, above the job, such as cluster and namespace."""
    refresh: str = "30s"

    def filled(self, text: str) -> str:
        """A query with what queries leave open."""
        target = ",".join(f'{label}=~"${label}"' for label in (*self.labels, "job"))
        return text.replace(TARGET, target).replace(FEATURES, self._features())

    def _features(self) -> str:
        """A matcher in which Grafana finds no variable of its own: it looks for `$` and two brackets in a row."""
        if not self.features:
            return ""
        pattern = "|".join(_SPECIAL.sub(r"\\\g<0>", name).replace("$", "[$]") for name in self.features)
        return f",feature=~{json.dumps(pattern, ensure_ascii=False)}"

    @property
    def source(self) -> str:
        """What panels say of whom they ask."""
        return self.datasource or _SOURCE

    def led(self, text: str) -> str:
        """A dashboard's text whose links keep what can be chosen, and nothing else."""
        first = [] if self.datasource else [KEPT[0]]
        ways = "".join(_WAY % name for name in (*first, *self.labels))
        return text.replace(_WAY % KEPT[0], ways).replace(_SOURCE, self.source)


def check(choice: Choice) -> None:
    """ConfigError, naming the flag, where something cannot be."""
    if choice.datasource and not _UID.fullmatch(choice.datasource):
        what = "a data source's uid is needed: 1 to 40 letters, digits, - and _"
        raise ConfigError(f"--datasource: {what}, not {choice.datasource!r}")
    _check_folder(choice.folder)
    _check_refresh(choice.refresh)
    for name in choice.features:
        if not name or any("\ud800" <= sign <= "\udfff" for sign in name):
            raise ConfigError(f"--feature: a feature's name is needed, not {name!r}")
    for label in choice.labels:
        if fault := _label_fault(label):
            raise ConfigError(f"--label {label!r}: {fault}")
    for flag, names in (("--feature", choice.features), ("--label", choice.labels)):
        for place, name in enumerate(names):
            if name in names[:place]:
                raise ConfigError(f"{flag} {name!r}: is there already")


def _check_folder(name: str) -> None:
    if not name or name != name.strip() or not name.isprintable():
        raise ConfigError(f"--folder: a name without blanks around it and control characters is needed, not {name!r}")
    if len(name) > _LONGEST_TITLE:
        raise ConfigError(f"--folder: at most {_LONGEST_TITLE} characters, not {len(name)}")
    if name.lower() == _ROOT:
        raise ConfigError(f"--folder: {name} is what Grafana calls the place outside all folders")


def _check_refresh(text: str) -> None:
    found = _REFRESH.fullmatch(text)
    if text == OFF or (found and int(found[1]) * _UNITS_S[found[2]] >= _LEAST_REFRESH_S):
        return
    raise ConfigError(f"--refresh: 5s or more, such as 30s, 5m or 1h, or {OFF} is needed, not {text!r}")


def _label_fault(label: str) -> str | None:
    if not _LABEL.fullmatch(label):
        return "a label's name is needed: letters, digits and _, no digit first"
    if label.startswith("__"):
        return "Prometheus keeps names that begin with __ to itself"
    if label in KEPT:
        return "the dashboards have a variable of this name"
    if label not in FLEET and (label in _OURS or any(label in family.labels for family in catalogue.families())):
        return "it is a label of the series themselves, not of targets"
    return None


def strange_to_rules(choice: Choice) -> list[str]:
    """The chosen labels that no recorded series has: rules keep those that fleets are told apart by."""
    return [label for label in choice.labels if label not in FLEET]
