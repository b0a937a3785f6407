"""The file of golden requests as it is written: YAML, or JSON where it is called so. It reads again as what it was."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from exporter.errors import ConfigError
from exporter.golden import reading
from exporter.profile import whole_file
from exporter.profile.strict_yaml import NUMBERS
from exporter.values import Fault

_WIDTH: Final = 118
_HEAD: Final = (
    "# Golden requests: what the model must answer. Read, edit and keep it beside the model. `golden record --update`\n"
    "# takes new answers; tolerances, and what is ignored, stay as they stand here, but for comments.\n"
)


class _Dumper(yaml.SafeDumper):
    """A hook of PyYAML's: what two cases share is written out for both, and texts that look like numbers in quotes."""

    def ignore_aliases(self, _: object) -> bool:
        """All of them."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """What is not printable in escapes: PyYAML by itself writes other line ends so that they read as spaces."""
        style = None if data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.add_representer(str, _Dumper.represent_str)
for _form, _first in NUMBERS:
    _Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _form, _first)


def text(document: Mapping[str, Any], file: str) -> str:
    """As it is written. ConfigError where it could not be read again."""
    if file.endswith(".json"):
        found = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    else:
        found = _HEAD + yaml.dump(
            document, Dumper=_Dumper, default_flow_style=None, sort_keys=False, allow_unicode=True, width=_WIDTH
        )
    content = found.encode("utf-8", "surrogatepass")
    if len(content) > reading.LARGEST:
        raise ConfigError(f"{file}: would be larger than {reading.LARGEST >> 20} MiB")
    try:
        reading.golden(reading.document_of(file, content))
    except Fault as fault:
        raise ConfigError(f"{file}: {fault.path}: {fault}") from None
    return found


def save(file: str, content: str) -> None:
    """Write it whole or not at all. ConfigError."""
    try:
        whole_file.write(Path(file), content)
    except OSError as error:
        raise ConfigError(f"--output: cannot write {file}: {error.strerror}") from None
