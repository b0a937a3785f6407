"""By what a golden request is known wherever it comes by: one header, which no client of a model has by itself.

The standard library only: the request path looks for it.
"""

from typing import Final

GOLDEN: Final = "x-inference-exporter-golden"
"""The header, in lower case; its value is the case's name, percent-encoded."""
