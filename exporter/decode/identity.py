"""Who an exchange is about: the model as URL and headers name it, and the id by which late truth can find a request.

Names and ids come from strangers: of bodies and headers only short printable ones are believed.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

from exporter.decode import pointer
from exporter.decode.rules import Rules
from exporter.records import Table

LONGEST: Final = 128
"""Characters of a name or an id."""
_EXACT: Final = 2.0**53
"""Below it whole numbers are themselves as floats."""
_SEGMENT: Final = r"[^/:]+"
_MODEL_PATHS: Final = re.compile(
    rf"(?:^|/)(?:"
    rf"v[12]/models/(?P<model>{_SEGMENT})(?:/versions/(?P<version>{_SEGMENT})|/labels/(?P<label>{_SEGMENT}))?"
    rf"(?::[a-z]+|/(?:infer|explain|generate|generate_stream))"
    rf"|predictions/(?P<served>{_SEGMENT})(?:/(?P<served_version>{_SEGMENT}))?"
    rf"|seldon/{_SEGMENT}/(?P<deployment>{_SEGMENT})/api/v[0-9.]+/predictions"
    rf"|(?:endpoints|models)/(?P<endpoint>{_SEGMENT})/(?:invocations|invoke)"
    rf"|deployments/(?P<hosted>{_SEGMENT})/(?:(?:chat/)?completions|embeddings)"
    rf")$"
)
"""Where the URLs of KServe, TensorFlow Serving, Triton, TorchServe, Seldon, SageMaker and Azure have the model."""
_MODEL_HEADERS: Final = ("x-amzn-sagemaker-target-model", "ce-modelid", "ce-inferenceservicename")
_VERSION_HEADERS: Final = ("x-amzn-sagemaker-target-variant",)
TELLING: Final = frozenset((*_MODEL_HEADERS, *_VERSION_HEADERS))
"""Headers that name a model."""
_ID_HEADERS: Final = ("ce-requestid", "ce-id", "x-request-id", "seldon-puid", "x-amzn-sagemaker-inference-id")
_OF_IDS: Final = frozenset((*_ID_HEADERS, "traceparent"))
_TRACE: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE: Final = "0" * 32


class Named(NamedTuple):
    """A model's name and version, each empty where it is not said."""

    model: str = ""
    version: str = ""

    def also(self, other: "Named") -> "Named":
        """With what another source says where this one does not."""
        if not (other.model or other.version):
            return self
        return Named(self.model or other.model, self.version or other.version)


def by_path(path: str) -> Named:
    """What a URL says, be it believable or not: what names a model is no other's.

    A label of TensorFlow Serving moves from version to version: it is `label:stable`.
    """
    match = _MODEL_PATHS.search(path)
    if not match:
        return Named()
    found = match.groupdict()
    model = next(found[key] for key in ("model", "served", "deployment", "endpoint", "hosted") if found[key])
    version = found["version"] or found["served_version"] or (f"label:{found['label']}" if found["label"] else "")
    return Named(unquote(model), unquote(version))


def by_headers(headers: Mapping[str, str]) -> Named:
    """What headers say."""
    return Named(_first(headers, _MODEL_HEADERS), _first(headers, _VERSION_HEADERS))


def by_body(document: object, keys: tuple[str, str]) -> Named:
    """What a body says under the keys of its protocol."""
    if not isinstance(document, dict):
        return Named()
    return Named(believed(document.get(keys[0])), believed(document.get(keys[1])))


def by_pointer(document: object, place: str) -> str:
    """The id that a body has at a place."""
    return spelled(pointer.find(document, place)) if place else ""


def id_by_headers(headers: Mapping[str, str]) -> str:
    """The id that some proxy or server gave; the trace's where nobody gave another."""
    if _OF_IDS.isdisjoint(headers):
        return ""
    found = _first(headers, _ID_HEADERS)
    if found or "traceparent" not in headers:
        return found
    trace = _TRACE.fullmatch(headers["traceparent"].strip())
    return trace[1] if trace and trace[1] != _NO_TRACE else ""


def ids_by_columns(table: Table, names: Sequence[str], rules: Rules) -> tuple[str, ...]:
    """The id of each row by its key columns, `a/b` where there are several; empty where a row lacks one of them.

    `names` are what the columns are called.
    """
    if not set(rules.id_columns) <= set(names):
        return ()
    columns = [table.columns[names.index(name)] for name in rules.id_columns]
    return tuple(_joined(cells) for cells in zip(*columns, strict=True))


def _joined(cells: Sequence[object]) -> str:
    return of_key([spelled(cell) for cell in cells])


def of_key(words: Sequence[str]) -> str:
    """The id that the spelled values of key columns are together; empty where one of them is.

    Where there are several, `a/b` and `c` are not `a` and `b/c`: slashes are written as in a JSON pointer.
    """
    if not all(words):
        return ""
    return believed(words[0] if len(words) == 1 else "/".join(map(_escaped, words)))


def _escaped(word: str) -> str:
    return word.replace("~", "~0").replace("/", "~1")


def _first(headers: Mapping[str, str], names: Sequence[str]) -> str:
    for name in names:
        if name in headers:
            found = believed(headers[name])
            if found:
                return found
    return ""


def spelled(value: object) -> str:
    """An id in its one spelling, whoever writes it: 17, 17.0 and "17" are one; empty for what can be none.

    Truth values are `true` and `false`. A whole number beyond 64 bits has become a float on its way, as others like it
    have: it is none.
    """
    if isinstance(value, str):
        return believed(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value)) if abs(value) < _EXACT else ""
        return repr(value) if math.isfinite(value) else ""
    if type(value) is int:
        return str(value) if -(1 << 63) <= value < 1 << 64 else ""
    return ""


def believed(value: object) -> str:
    """A name or an id as text: 1 to 128 printable characters, or a whole number; empty for anything else."""
    if type(value) is int and abs(value) < 10**18:
        return str(value)
    return value if isinstance(value, str) and len(value) <= LONGEST and value.isprintable() else ""
