"""The command `inference-exporter`, which `python -m exporter` is as well."""

import os
import signal
import sys
from typing import Final

_INTERRUPTED: Final = 130
"""What shells say of a command that was interrupted."""


def main() -> int:
    """Run the command; its exit code. An interrupt ends it without a traceback, at whatever moment it comes.

    In the background of a script an interrupt is ignored, and stays so.
    """
    is_heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_heeded:
        signal.signal(signal.SIGINT, _end)
    from exporter import cli  # noqa: PLC0415 (takes a while, in which nothing has to be put in order)

    if is_heeded:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        return cli.main()
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        if is_heeded:
            signal.signal(signal.SIGINT, _end)


def _end(*_: object) -> None:
    os._exit(_INTERRUPTED)


def _interrupt(*_: object) -> None:
    """Have everything put in order; whoever cannot wait for that interrupts a second time."""
    signal.signal(signal.SIGINT, _end)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
