"""inference-exporter: a sidecar that watches a model server for Prometheus. Importing has no effect."""

__version__ = "0.1.0"
