"""`inference-exporter check`: whether `serve` could use its settings and profiles, and what it would make of them."""

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from exporter import config, dependencies, locations, merge_source, orders, series_flags
from exporter.config import Settings
from exporter.errors import ConfigError
from exporter.evidence import planned
from exporter.hindsight import Performance
from exporter.places import reading
from exporter.profile import overrides, salts
from exporter.proxy import tls
from exporter.reference import Profile
from exporter.samples import command as samples


def run(given: argparse.Namespace, settings: Settings) -> int:
    """Refuse what cannot be used (ConfigError, DataError); tell of the rest, or give `serve` the settings as JSON."""
    series_flags.refuse_strangers(settings)
    profiles = _profiles(settings.profile, given.json)
    _refuse_strangers(settings, profiles.get("profile"))
    _check_salt(settings, {} if given.json else profiles)
    said = _overrides(settings.overrides, list(profiles.values()), given.json)
    if any((settings.web.config_file, settings.events.token_file, settings.feedback.token_file,
            settings.retrain.token_file)):  # fmt: skip
        from exporter.web import entrance  # noqa: PLC0415 (a tenth of a second that most starts need not spend)

        entrance.check(settings)
    _check_store(settings)
    golden = _golden(settings)
    _check_retrain(settings, given.json)
    _check_tracing(settings)
    tls.listener_context(orders.listen_tls(settings))
    tls.upstream_context(orders.upstream_tls(settings))
    if given.json:
        print(json.dumps(config.to_document(settings)))
        return 0
    complete = settings.every_route or not settings.relay
    print("settings: fine" if complete else "settings: fine, but serve needs --upstream as well, or --no-relay")
    for name, profile in profiles.items():
        features, outputs = len(profile.features), len(profile.outputs)
        print(f"{name}: fine, {profile.short_digest}, {features} features, {outputs} outputs, {profile.rows:,} rows")
    told = {
        "merge:": merge_source.told(settings), "segments:": _segments(settings, profiles),
        "performance:": _performance(settings, profiles), "planned:": _planned(settings),
        "dependency": dependencies.told(settings.dependencies), "golden:": golden, "prediction_log:": _log(settings),
        "state:": _state(settings),
        "series:": series_flags.told(settings, list(profiles.values()), given),
    }  # fmt: skip
    for word, lines in told.items():
        for line in lines:
            print(f"{word} {line}")
    if said:
        print(f"{settings.overrides}: fine, {said} rules")
    return samples.check(given, settings)


def _refuse_strangers(settings: Settings, profile: Profile | None) -> None:
    """ConfigError where what is said of payloads is of a protocol that there is not, or of no column of the profile."""
    if not (settings.protocols or settings.features or settings.outputs):
        return
    from exporter.decode import Decoder, rules  # noqa: PLC0415 (a tenth of a second that most starts need not spend)

    told = rules.of(settings)
    Decoder(told)
    if profile is not None:
        rules.refuse_strangers(told, profile)


def _check_salt(settings: Settings, profiles: Mapping[str, Profile]) -> None:
    """ConfigError where the salt cannot be used, or is not that of a profile."""
    fingerprint = salts.load(settings.salt_file, "salt_file").fingerprint if settings.salt_file else ""
    for name, profile in profiles.items():
        column = profile.salted_otherwise(fingerprint)
        if column is not None:
            words = "is of another salt" if fingerprint else "is needed"
            raise ConfigError(f"salt_file: {words}: {name} has hashes of the categories of {column.name!r}")


def _check_store(settings: Settings) -> None:
    """ConfigError where predictions could never wait there for their truth. Nobody is asked whether it is up."""
    said = settings.feedback
    if said.enable:
        from exporter.feedback import stores  # noqa: PLC0415 (slow to import, as above)

        stores.verify(stores.address(said.store, settings.state.directory), said.store_password_file)


def _golden(settings: Settings) -> Sequence[str]:
    """What will be asked, for people. ConfigError where the file cannot be used."""
    said = settings.golden
    if said.file is None:
        return ()
    from exporter.golden import reading  # noqa: PLC0415 (slow to import, as above)

    try:
        cases = len(reading.load(said.file).cases)
    except ConfigError as error:
        raise ConfigError(f"golden.file: {error}") from None
    if settings.watched is None:
        return [f"{said.file}: fine, {cases} cases, but no upstream is known that could be asked"]
    return [f"{said.file}: fine, {cases} cases, every {said.interval:g} s, within {said.timeout:g} s each"]


def _check_retrain(settings: Settings, is_serving: bool) -> None:
    """ConfigError where an event could not be sent for want of a file. `serve` goes on without one: it may come yet."""
    if settings.retrain.enable and not is_serving:
        from exporter.retrain import posting  # noqa: PLC0415 (slow to import, as above)

        try:
            posting.check(settings.retrain)
        except (OSError, ValueError) as error:
            raise ConfigError(f"retrain: {error}") from None


def _log(settings: Settings) -> Iterator[str]:
    """Whether a file of it could be written. No error: `serve` goes on, and may be another user."""
    said = settings.prediction_log
    if not said.to.startswith("file:"):
        yield from [f"to {said.to.partition('?')[0]}"] if said.enable else ()
        return
    path = Path(said.to.removeprefix("file:"))
    place = path if path.exists() else path.parent
    may = os.access(place, os.W_OK)
    yield f"to {path}" if may else f"to {path}, which this user cannot write: lines would be counted as lost"


def _check_tracing(settings: Settings) -> None:
    """ConfigError where the library is missing that spans need."""
    if settings.tracing.enable:
        from exporter.witness.spans import exporters  # noqa: PLC0415 (slow to import, as above)

        exporters.check(settings.tracing)


def _state(settings: Settings) -> Iterator[str]:
    """Whether the user who asks could write it; nothing is. No error: `serve` goes on, and may be another user."""
    if settings.state.directory is None:
        return
    path = Path(settings.state.directory).absolute()
    try:
        there = next(place for place in (path, *path.parents) if place.exists())
    except OSError as error:  # a name that is too long, or a directory that may not be looked into
        yield f"{path}: {error.strerror}: nothing would outlive a restart"
        return
    if not there.is_dir():
        yield f"{path}: {there} is no directory: nothing would outlive a restart"
    elif not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        yield f"{path}: this user cannot write to {there}: nothing would outlive a restart"
    else:
        yield f"{path}: fine" + ("" if there == path else ", serve makes it")


def _segments(settings: Settings, profiles: Mapping[str, Profile]) -> Iterator[str]:
    """What people should know of the ways in which traffic is to be divided."""
    from exporter.monitor.said import Said  # noqa: PLC0415 (slow to import, as above)
    from exporter.monitor.sides import advice  # noqa: PLC0415
    from exporter.referring import segment_bytes  # noqa: PLC0415

    salt = salts.load(settings.salt_file, "salt_file") if settings.salt_file else None
    said = Said(salt=salt, segments=settings.segments, segment_bytes=segment_bytes(settings))
    for name, profile in profiles.items() if settings.segments.by else ():
        yield from (f"{name}: {line}" for line in advice(profile, settings.windows, said) or ["fine"])


def _performance(settings: Settings, profiles: Mapping[str, Profile]) -> Iterator[str]:
    """What each model predicts and what can be known of that, or why not. ConfigError where settings name nothing."""
    if not settings.feedback.enable:
        return
    from exporter.performance import advice  # noqa: PLC0415 (slow to import, as above)

    said = settings.performance
    for name, profile in profiles.items():
        if len(profiles) == 1:  # of several, what is wrong of one may be meant for another
            _refuse_wrong(profile, said)
        yield from (f"{name}: {line}" for line in advice.told(profile, said, settings.evidence))
        strange = (one for one in settings.segments.search if one not in {column.name for column in profile.features})
        yield from (f"{name}: segments.search: {one!r} is no feature" for one in strange)


def _refuse_wrong(profile: Profile, said: Performance) -> None:
    """ConfigError where an output or a class is named that the model does not have."""
    from exporter.performance import costs, deduced  # noqa: PLC0415 (slow to import, as above)

    task = deduced.task_of(profile, said)
    if task is not None:
        costs.refuse_unknown(said.costs, task)


def _planned(settings: Settings) -> Iterator[str]:
    """When what is planned is on next: whether days and zones are what was meant."""
    return planned.told(settings.evidence.planned, time.time())


def _overrides(path: str | None, profiles: Sequence[Profile], is_serving: bool) -> int:
    """How many rules there are. One that is of no profile is an error for people only: `serve` goes on without it."""
    if path is None:
        return 0
    rules = overrides.load(path)
    if not is_serving:
        overrides.check(rules, profiles, path)
    return len(rules.features) + len(rules.outputs)


def _profiles(text: str | None, is_serving: bool) -> dict[str, Profile]:
    """What `serve` would compare with, by what to call it. What it would go on without is an error for people only."""
    if text is None:
        return {}
    place = locations.parse(text)
    is_far = place.scheme != locations.FILE
    if is_serving and (is_far or not Path(place.text).exists()):
        return {}  # it may come yet, and nobody waits for a store
    if locations.has_many(text):
        return {} if is_serving or is_far else reading.each(text)
    return {"profile": reading.load(text)}
