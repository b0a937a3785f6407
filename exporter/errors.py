"""Errors by who must react: the operator (settings, data) or the peer (payload). Anything else is a bug.

`ExporterError` is never raised itself; `exit_code` is what a command ends with (sysexits.h).
"""


class ExporterError(Exception):
    """Base of every error this project raises on purpose: one line that names the fault."""

    exit_code = 70


class ConfigError(ExporterError):
    """A setting, flag or environment variable is wrong, or names something that is not there."""

    exit_code = 64


class DataError(ExporterError):
    """A file was found but its content cannot be used: training data or a profile."""

    exit_code = 65


class UpstreamError(ExporterError):
    """The model server does not answer, and the operator asked to insist on it."""

    exit_code = 69


class PrometheusError(ExporterError):
    """A Prometheus does not answer, or not what was asked."""

    exit_code = 69


class DeliveryError(ExporterError):
    """The exporter that is to be told truths cannot be reached, or takes none now."""

    exit_code = 69


class DecodeError(Exception):
    """A payload cannot be read as model input or output. `reason` is one of `decode.REASONS`.

    `detail` may name keys and shapes, never values.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class PostError(Exception):
    """What was posted cannot be taken. `reason` is `malformed`, `too_large`, `too_slow` or `busy`.

    The message goes back to the sender and names keys, never their values.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EventError(PostError):
    """A POST of events cannot be taken. `reason` is one of `records.EVENT_REFUSALS`."""

    def __init__(self, reason: str, message: str, events: int = 1) -> None:
        super().__init__(reason, message)
        self.events = events
        """How many are refused by this."""
