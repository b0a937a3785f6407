"""KServe V1 and TensorFlow Serving, row form: `{"instances": [{"age": 34}, ...]}` or `[[34, 1.5], ...]`.

TensorFlow Serving's `:classify` and `:regress` have `examples`, objects with the features beside a `context` that is
the same for all, and answer `results`. KServe: data plane V1; TensorFlow Serving: RESTful API, predict, classify.
"""

from typing import Any, Final

from exporter.decode import tables
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Table


def _features(payload: Payload) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns."""
    document = payload.document
    if "instances" in document:
        return tables.opened(tables.from_any(document["instances"]), payload.content)
    return tables.from_any(_in_context(document["examples"], document.get("context")))


def _in_context(examples: object, context: object) -> object:
    """Examples with what is the same for all of them."""
    if not context or not isinstance(examples, list):
        return examples
    if not isinstance(context, dict) or not all(isinstance(example, dict) for example in examples):
        raise DecodeError("shape", "a context and examples are objects")
    tables.check_width(len(context))
    return [context | example for example in examples]


def _results(payload: Payload) -> Table:
    """Numbers (regress), or lists of pairs of a label and its score (classify). DecodeError as `_features`."""
    document = payload.document
    if "results" not in document:
        return tables.from_any(document["instances"])  # what some of KServe's servers answer
    results = document["results"]
    if not isinstance(results, list) or not results or not all(map(_is_scored, results)):
        return tables.from_any(results)
    return tables.from_records([dict(row) for row in results])


def _is_scored(row: Any) -> bool:  # noqa: ANN401 (whatever JSON has)
    return isinstance(row, list) and bool(row) and all(map(_is_pair, row))


def _is_pair(pair: Any) -> bool:  # noqa: ANN401
    return isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)


REQUEST: Final = Side(
    _features,
    keys=("instances", "examples"),
    rows=(Rows(("instances",)), Rows(("examples",))),
    paths=(r"/v1/models/[^/:]+(?:/(?:versions|labels)/[^/:]+)?:(?:predict|classify|regress|explain)",),
)
RESPONSE: Final = Side(_results, keys=("results", "instances"), rows=(Rows(("results",)), Rows(("instances",))))
