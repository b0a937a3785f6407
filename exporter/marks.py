"""By what a golden request is known wherever it comes by: a header, or the beginning of an id.

They go to the model server itself, but may come by a sidecar all the same: the server's logger posts what it was asked
as events, another layer passes them on through a sidecar of its own, and `golden check` may aim at the relay. Loggers
pass on no headers as a rule, but the id of a request: KServe's takes it from `Ce-Id`, Seldon's from `Seldon-Puid`.

The standard library only: the request path looks for it.
"""

from collections.abc import Mapping
from typing import Final

GOLDEN: Final = "x-inference-exporter-golden"
"""The header, in lower case; its value is the case's name, percent-encoded."""
ID: Final = "inference-exporter-golden-"
"""What the id of a golden request begins with."""
SENT_IDS: Final = ("ce-id", "seldon-puid")
"""Headers of it, in lower case."""
_ID_HEADERS: Final = (*SENT_IDS, "ce-requestid", "x-request-id")


def is_marked(headers: Mapping[str, str]) -> bool:
    """Whether a request with these headers, in lower case, says that it is a golden one."""
    return GOLDEN in headers or any(headers.get(name, "").startswith(ID) for name in _ID_HEADERS)
