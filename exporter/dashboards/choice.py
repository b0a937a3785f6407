"""What people choose when the dashboards are written: where they are put, whom they ask, and about what."""

import json
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from exporter.dashboards.queries import FEATURES, TARGET

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")


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
        if not self.features:
            return ""
        pattern = "|".join(_SPECIAL.sub(r"\\\g<0>", name) for name in self.features)
        return f",feature=~{json.dumps(pattern, ensure_ascii=False)}"

    @property
    def source(self) -> str:
        """What panels say of whom they ask."""
        return self.datasource or "${datasource}"
