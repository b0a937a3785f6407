"""The command `inference-exporter profile calibrate`: what traffic shows of chance, into a file of overrides."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Final

from exporter import prometheus_flags, table_flags
from exporter.errors import ConfigError
from exporter.values import duration

if TYPE_CHECKING:
    from exporter.profile.calibrate import Calibration
    from exporter.reference import Profile

_OF_TABLES: Final = ("time", "time_zone", "salt_file")
_OF_PROMETHEUS: Final = ("range", "step", "selector", *prometheus_flags.WORDS)


def add(calibrate: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    calibrate.set_defaults(run=_calibrate)
    calibrate.add_argument("file", metavar="PROFILE", help="the one that is in force")
    calibrate.add_argument("traffic", nargs="*", metavar="TRAFFIC", help="recorded requests: " + table_flags.SOURCES)
    calibrate.add_argument("--time", metavar="COLUMN", help="column of the traffic that says when a row is from")
    calibrate.add_argument("--time-zone", metavar="ZONE", help="of times without one (UTC)")
    prometheus_flags.add(calibrate)
    calibrate.add_argument("--range", metavar="TIME", help="how much of a Prometheus' history, until now (7d)")
    calibrate.add_argument("--step", metavar="TIME", help="the exporters' windows.pane (1m)")
    calibrate.add_argument("--selector", metavar="MATCHERS", help="""which exporters, such as '{job="churn"}' (all)""")
    calibrate.add_argument("--output", required=True, metavar="FILE", help="overrides to write")
    calibrate.add_argument("--merge", metavar="FILE", help="overrides of which the rest is kept; may be the same file")
    calibrate.add_argument("--force", action="store_true", help="write it however little traffic there is")
    table_flags.add_salt(calibrate)
    table_flags.add_dialect(calibrate)


def _calibrate(given: argparse.Namespace, _: object) -> int:
    from exporter.profile import calibrate, document, overrides_file, terminal  # noqa: PLC0415
    from exporter.profile.in_force import in_force  # noqa: PLC0415

    _require_one_way(given)
    now = time.time()
    before = overrides_file.existing(given.merge) if given.merge else {}
    profile = in_force(document.load(given.file), now)
    source, found = (
        _of_prometheus(given, profile, now) if getattr(given, "prometheus.url") else _of_tables(given, profile)
    )
    paper = terminal.Paper.of(sys.stdout)
    for line in calibrate.report(found, source, paper):
        print(line)
    if not given.force:
        calibrate.require_enough(found)
    head = [terminal.cut(line, 0) for line in calibrate.head(found, profile, source, now)]
    overrides_file.save(given.output, overrides_file.text(overrides_file.merged(before, found.columns), head))
    print(terminal.printable(f"written to {given.output}"))
    return 0


def _require_one_way(given: argparse.Namespace) -> None:
    """ConfigError unless traffic is recorded in tables, or in a Prometheus."""
    url = getattr(given, "prometheus.url")
    if bool(given.traffic) == bool(url):
        raise ConfigError("which traffic? say tables of it, or --prometheus.url, one of both")
    if given.traffic and not given.time:
        raise ConfigError("--time: which column says when a row is from?")
    for word in _OF_TABLES if url else _OF_PROMETHEUS:
        if getattr(given, word):
            raise ConfigError(f"--{word.replace('_', '-')}: says nothing of {'a Prometheus' if url else 'tables'}")


def _of_tables(given: argparse.Namespace, profile: "Profile") -> "tuple[str, Calibration]":
    from exporter.profile import recorded  # noqa: PLC0415
    from exporter.profile.plan import Plan  # noqa: PLC0415
    from exporter.profile.progress import Progress  # noqa: PLC0415

    salt, dialect = table_flags.salt(given), table_flags.dialect(given)
    plans = [
        Plan(source, dialect=dialect, salt=salt, time=given.time, zone=given.time_zone or "UTC")
        for source in given.traffic
    ]
    with Progress(sys.stderr) as watch:
        return ", ".join(given.traffic), recorded.calibrate(plans, profile, watch)


def _of_prometheus(given: argparse.Namespace, profile: "Profile", now: float) -> "tuple[str, Calibration]":
    from exporter import fleet_history  # noqa: PLC0415
    from exporter.profile.progress import Progress  # noqa: PLC0415
    from exporter.prometheus import PrometheusClient  # noqa: PLC0415

    client = PrometheusClient(prometheus_flags.access(given))
    step_s = _duration(given.step or "1m", "--step")
    wish = fleet_history.Wish(
        now // step_s * step_s, _duration(given.range or "7d", "--range"), step_s, _matchers(given.selector)
    )
    with Progress(sys.stderr) as watch:
        return client.url, fleet_history.calibrate(client, profile, wish, watch)


def _duration(text: str, flag: str) -> float:
    try:
        return duration(text)
    except ValueError as error:
        raise ConfigError(f"{flag}: {error}") from None


def _matchers(text: str | None) -> str:
    if text is None:
        return ""
    words = text.strip()
    if not (words.startswith("{") and words.endswith("}")):
        raise ConfigError(f"""--selector: must be in braces, such as '{{job="churn"}}', not {text!r}""")
    return words[1:-1].strip().strip(",")
