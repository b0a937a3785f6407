"""From what a payload calls its columns to what the profile calls them: the server's names, then the operator's map."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from exporter.decode import naming
from exporter.decode.mapping import Mapper
from exporter.decode.naming import Ask, Orders
from exporter.decode.rules import Rules
from exporter.records import Failure, Observation, Table
from exporter.reference import Profile

ProfileOf = Callable[[Observation], Profile | None]
"""Which profile an observation is compared with."""
Side = Table | Failure | None
_NO_NAMES: Final = Orders()


class Columns:
    """What is known beforehand of both sides' columns."""

    def __init__(self, rules: Rules, ask: Ask | None, profile_of: ProfileOf | None) -> None:
        self.features = Mapper(rules.features) if rules.features else None
        self.outputs = Mapper(rules.outputs) if rules.outputs else None
        """What makes the profile's columns of a payload's; None where the operator says nothing of them."""
        self._ask = ask
        self._profile_of = profile_of

    def __call__(self, seen: Observation, path: str) -> Observation:
        """What was seen, as the profile has it. A bug in it costs one payload."""
        features, answers = seen.features, seen.predictions
        schema = None
        bare = naming.is_bare(features) or naming.is_bare(answers)
        if bare and self._ask:
            schema = self._ask(path)
        if not (schema or self.features or self.outputs):
            return seen
        order = naming.orders(self._profile_of(seen)) if bare and self._profile_of else _NO_NAMES
        if schema:
            features = naming.named(features, schema.inputs, order.features)
            answers = naming.named(answers, schema.outputs, order.outputs)
        return replace(
            seen,
            features=_mapped(features, self.features, order.features),
            predictions=_mapped(answers, self.outputs, order.outputs),
        )

    def names(self, seen: Observation) -> tuple[str, ...]:
        """What an observation's features are called; bare arrays as the profile has them, empty where it does not."""
        return self._names(seen, seen.features, "features")

    def output_names(self, seen: Observation) -> tuple[str, ...]:
        """The same of the outputs."""
        return self._names(seen, seen.predictions, "outputs")

    def _names(self, seen: Observation, side: Side, which: str) -> tuple[str, ...]:
        if not isinstance(side, Table):
            return ()
        if side.names is not None:
            return side.names
        order = getattr(naming.orders(self._profile_of(seen)), which) if self._profile_of else ()
        return order if len(order) == len(side.columns) else ()


def _mapped(side: Side, mapper: Mapper | None, order: tuple[str, ...]) -> Side:
    if mapper is None or not isinstance(side, Table):
        return side
    try:
        return mapper(side, order)
    except Exception as error:  # noqa: BLE001 (as in a decoder)
        return Failure("internal", type(error).__name__)
