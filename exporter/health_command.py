"""The command `inference-exporter health`: whether a sidecar is ready, where a platform runs a command to know.

It is run every few seconds beside the sidecar, so it takes the standard library alone, and of all settings one. Their
file may be wrong by now, which changes nothing for a sidecar that runs: then the default is asked.
"""

import argparse
import http.client
import os
import queue
import sys
import threading
from typing import Final, cast

from exporter import addresses, config, values
from exporter.errors import ConfigError

_KEY: Final = next(key for key in config.every_key() if key.name == "health.listen_address")
_DEFAULT: Final = cast("str", _KEY.default)
_TIMEOUT_S: Final = 3.0
_NEAR: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared with, not bound to)
"""Where a listener of every address is reached from beside it."""
_LONGEST_ANSWER: Final = 1024


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.set_defaults(run=lambda given, _: run(given))
    parser.add_argument(_KEY.flag, dest="address", metavar="ADDRESS", help=f"as serve has it (default {_DEFAULT})")
    parser.add_argument("--config", metavar="FILE", help="settings of serve, which may name the address")
    parser.add_argument("--live", action="store_true", help="ask whether it lives: it does while it drains, too")
    parser.add_argument("--timeout", default=_TIMEOUT_S, type=_duration, metavar="TIME", help="for an answer (3s)")


def run(given: argparse.Namespace) -> int:
    """0 where the sidecar says yes, else 1 and why on standard error."""
    address = _address(given)
    try:
        status, text = _asked_in_time(address, "/-/healthy" if given.live else "/-/ready", given.timeout)
    except (OSError, ValueError, http.client.HTTPException) as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        print(f"inference-exporter: {address}: {_printable(why)}", file=sys.stderr)
        return 1
    is_well = status == http.client.OK
    print(text if is_well else f"inference-exporter: {address}: {status} {text}",
          file=sys.stdout if is_well else sys.stderr)  # fmt: skip
    return 0 if is_well else 1


def _asked_in_time(address: str, path: str, timeout_s: float) -> tuple[int, str]:
    """As `_asked`, all of it in that time: a name that is slow to resolve, an answer that comes byte by byte."""
    answers: queue.SimpleQueue[tuple[int, str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_asked(address, path, timeout_s))
        except Exception as error:  # noqa: BLE001 (raised where it is waited for)
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _asked(address: str, path: str, timeout_s: float) -> tuple[int, str]:
    """Status and first line of the answer."""
    host, port = addresses.split_address(address)
    connection = http.client.HTTPConnection(_NEAR.get(host, host), port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read(_LONGEST_ANSWER).decode(errors="replace")
        return answer.status, _printable(text.partition("\n")[0])
    finally:
        connection.close()


def _printable(text: str) -> str:
    """Whoever answers, nothing of it moves a terminal's cursor, and every terminal can show it."""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text.strip())


def _address(given: argparse.Namespace) -> str:
    """As `serve` finds it: the flag, the environment, the file, the default."""
    file = given.config or os.environ.get("INFERENCE_EXPORTER_CONFIG")
    told = given.address or os.environ.get(_KEY.environment) or (_of_file(file) if file else None)
    try:
        return addresses.address(told or _DEFAULT)
    except ValueError as error:
        raise ConfigError(f"{_KEY.name}: {error}") from None


def _of_file(path: str) -> str | None:
    from exporter.profile import strict_yaml  # noqa: PLC0415 (seldom needed, and as much as all the rest)

    try:
        told = config.flatten(strict_yaml.of_file(path), path).get(_KEY.name)
        return None if told is None else addresses.address(told)
    except (ConfigError, ValueError) as error:
        where = "" if isinstance(error, ConfigError) else f"{path}: {_KEY.name}: "
        print(f"inference-exporter: {where}{error}; asked is {_DEFAULT}", file=sys.stderr)
        return None


def _duration(text: str) -> float:
    try:
        return values.duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
