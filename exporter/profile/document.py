"""The profile as a JSON document: read with every fault named by its path, written in one canonical form.

Version 2 may say more of a column and of the table than version 1 did; a document of version 1 is one of version 2 that
does not.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from exporter.errors import ConfigError, DataError
from exporter.profile import columns, parsing, parts, segment_parts, target_parts, whole_file
from exporter.profile.parsing import Fault
from exporter.reference import Profile

_FAMILY: Final = "inference-exporter/profile/"
_VERSION: Final = 2
_READ: Final = tuple(f"{_FAMILY}{version}" for version in range(1, _VERSION + 1))
FORMAT: Final = f"{_FAMILY}{_VERSION}"
_IMPORTANCE: Final = ("given", "estimated")
_REQUIRED: Final = {"format", "model", "rows", "source", "features", "outputs"}
_OPTIONAL: Final = {
    "fields", "embeddings", "time", "influenced", "performance", "importance", "provisional", "adoptions", "together",
    "unusual", "segments", "target",
}  # fmt: skip


# --- reading


def load(path: str) -> Profile:
    """The profile in a file. ConfigError where there is none, DataError naming the path to the fault in it."""
    try:
        raw = whole_file.read(Path(path), whole_file.LARGEST)
    except OSError as error:
        raise ConfigError(f"profile: cannot read {path}: {error.strerror}") from None
    return loads(raw, path)


def loads(raw: bytes, name: str) -> Profile:
    """The profile in the bytes of a file. DataError naming the file and the path to the fault in it."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: not JSON: {error}") from None
    try:
        return parse(document)
    except Fault as fault:
        raise DataError(f"{name}: {fault}") from None


def parse(document: object) -> Profile:
    """The profile a document describes."""
    top = parsing.mapping(document, "document")
    _require_format(top.get("format"))
    parsing.only(top, _REQUIRED | _OPTIONAL, "")
    model = parsing.mapping(top.get("model"), "model")
    parsing.only(model, {"name", "version", "trained_at"}, "model.")
    features, outputs = (columns.parse_all(top.get(side), side) for side in ("features", "outputs"))
    sides = {"features": features, "outputs": outputs}
    profile = Profile(
        model=parsing.name(model.get("name"), "model.name"),
        version=parsing.name(model.get("version"), "model.version"),
        trained_at=parsing.optional(model.get("trained_at"), "model.trained_at", parsing.time),
        rows=parsing.count(top.get("rows"), "rows"),
        source=parsing.name(top.get("source"), "source"),
        features=features,
        outputs=outputs,
        **_optional(top),
        adoptions=parts.parse_adoptions(top.get("adoptions", []), "adoptions", sides),
        segments=segment_parts.parse_all(top.get("segments", []), "segments", sides),
        target=parsing.optional(
            top.get("target"), "target", lambda node, path: target_parts.parse(node, path, outputs)
        ),
    )
    _check_whole(profile)
    return dataclasses.replace(profile, digest=digest(profile))


def _require_format(node: object) -> None:
    if node in _READ:
        return
    version = node.removeprefix(_FAMILY) if isinstance(node, str) and node.startswith(_FAMILY) else ""
    if version.isascii() and version.isdigit() and int(version[:9]) > _VERSION:
        raise Fault(f"format: version {version[:9]} is of a newer exporter, this one reads up to {_VERSION}")
    raise Fault(f"format: must be {FORMAT!r}, not {parsing.shown(node)}")


def _optional(top: Mapping[str, Any]) -> dict[str, Any]:
    """What a document need not say, but for what needs the columns."""
    importance = top.get("importance", "")
    if "importance" in top and importance not in _IMPORTANCE:
        raise Fault(f"importance: must be one of {', '.join(_IMPORTANCE)}")
    return {
        "fields": tuple(parsing.items(top.get("fields", []), "fields", parsing.name)),
        "embeddings": parts.parse_embeddings(top.get("embeddings", []), "embeddings"),
        "time": parsing.optional(top.get("time"), "time", parts.parse_time),
        "influenced": parsing.optional(top.get("influenced"), "influenced", parsing.between(0, 1)),
        "performance": parts.parse_performance(top.get("performance", {}), "performance"),
        "importance": importance,
        "together": parsing.optional(top.get("together"), "together", parts.parse_together),
        "unusual": parsing.optional(top.get("unusual"), "unusual", parts.parse_unusual),
        "provisional": parsing.truth(top.get("provisional", False), "provisional"),
    }


def _check_whole(profile: Profile) -> None:
    """What no part of a profile can say of itself."""
    if not profile.features and not profile.outputs:
        raise Fault("features: a profile needs at least one feature or output")
    if len(set(profile.inputs)) != len(profile.inputs):
        raise Fault("fields: one stands there twice")
    parts.check_embeddings(profile.embeddings, profile.inputs)
    axes = {one.name: len(one.axes) for one in profile.embeddings}
    if profile.together:
        parts.check_together(profile.together, profile.features, {*profile.inputs, *axes})
        axes[profile.together.name] = len(profile.together.axes)
    known = {*profile.inputs, *axes}
    for index, column in enumerate(profile.features):
        if column.field not in known:
            raise Fault(f"features[{index}].origin: {column.field!r} is neither among the fields nor an embedding")
        columns.check_scalar(column, f"features[{index}]", axes.get(column.field))
    for index, column in enumerate(profile.outputs):
        columns.check_scalar(column, f"outputs[{index}]", None)


# --- writing


def describe(profile: Profile) -> dict[str, Any]:
    """The document of a profile; what it does not know is left out."""
    at, sides = profile.trained_at, {"features": profile.features, "outputs": profile.outputs}
    model = {"name": profile.model, "version": profile.version, "trained_at": None if at is None else parsing.stamp(at)}
    known = {
        "fields": list(profile.fields),
        "embeddings": [parts.describe_embedding(one) for one in profile.embeddings],
        "time": profile.time and parts.describe_time(profile.time),
        "performance": dict(profile.performance),
        "importance": profile.importance,
        "together": profile.together and parts.describe_together(profile.together),
        "unusual": profile.unusual and dict(profile.unusual._asdict()),
        "provisional": profile.provisional,
        "adoptions": [parts.describe_adoption(one) for one in profile.adoptions],
        "segments": [segment_parts.describe(one, sides) for one in profile.segments],
        "target": profile.target and target_parts.describe(profile.target),
    }
    return {
        "format": FORMAT,
        "model": model,
        "rows": profile.rows,
        "source": profile.source,
        **({} if profile.influenced is None else {"influenced": profile.influenced}),
        **{word: value for word, value in known.items() if value},
        "features": [columns.describe(column) for column in profile.features],
        "outputs": [columns.describe(column) for column in profile.outputs],
    }


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes of a document that are the same for the same content, however the file is laid out."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest(profile: Profile) -> str:
    """SHA-256 of what is known of a profile, hexadecimal.

    Of what was understood, not of the text: key order, indentation, 1 for 1.0 and a newer format make no other profile.
    """
    return hashlib.sha256(canonical(describe(profile) | {"format": _READ[0]})).hexdigest()


def save(profile: Profile, path: str) -> Profile:
    """Write a profile, whole or not at all; it comes back with its digest.

    ConfigError where it cannot be written, DataError where it could not be read again.
    """
    document = describe(profile)
    try:
        checked = parse(document)
    except Fault as fault:
        raise DataError(f"profile: {fault}") from None
    text = written(document)
    if len(text.encode()) > whole_file.LARGEST:
        raise DataError(f"profile: larger than {whole_file.LARGEST >> 20} MiB: leave out some columns")
    try:
        whole_file.write(Path(path), text)
    except OSError as error:
        raise ConfigError(f"output: cannot write {path}: {error.strerror}") from None
    return checked


def written(node: object, margin: str = "") -> str:
    """A document as text for people: lists of plain values in one line, all else a line each."""
    inner = margin + " "
    if isinstance(node, Mapping) and node:
        lines = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {written(node[key], inner)}" for key in node]
        text = "{\n" + ",\n".join(lines) + f"\n{margin}}}"
    elif isinstance(node, list) and any(isinstance(item, list | dict) for item in node):
        text = "[\n" + ",\n".join(f"{inner}{written(item, inner)}" for item in node) + f"\n{margin}]"
    else:
        text = json.dumps(node, ensure_ascii=False)
    return text if margin else text + "\n"
