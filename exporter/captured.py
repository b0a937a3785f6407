"""The section of the settings about what is copied off the request path. As in `config`, which puts it in its place."""

from dataclasses import dataclass

from exporter.keys import setting
from exporter.values import http_methods, size, url_paths

_BODIES_PER_RING = 16
"""So that an exchange of two whole bodies takes an eighth of the ring at most."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What is copied off the request path, within bounds."""

    max_body: int = setting(
        1 << 20,
        "Most of a body that is copied for decoding, each way; of a longer one the first rows.",
        size(0),
        "1MiB",
    )
    max_pending: int = setting(
        32 << 20, "Most bytes of bodies one worker holds for unfinished exchanges.", size(0), "32MiB"
    )
    ring: int = setting(16 << 20, "Size of each worker's ring to the analyser.", size(1 << 16), "16MiB")
    probe_paths: tuple[str, ...] = setting(
        ("/health", "/healthz", "/healthcheck", "/livez", "/readyz", "/ready", "/live", "/ping",
         "/v2/health/live", "/v2/health/ready", "/metrics"),
        "Paths of health probes: relayed, but not counted as model requests.", url_paths,
    )  # fmt: skip
    methods: tuple[str, ...] = setting(
        ("POST", "PUT", "PATCH"), "Methods that carry model input; what others carry is not copied.", http_methods
    )
    paths: tuple[str, ...] = setting(
        ("/*",), "Paths that carry model input, * for anything; what others carry is not copied.", url_paths
    )

    def __post_init__(self) -> None:
        if self.ring < _BODIES_PER_RING * self.max_body:
            raise ValueError(f"ring: must be at least {_BODIES_PER_RING} times max_body ({self.max_body} bytes)")
