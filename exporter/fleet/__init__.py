"""Evidence of drift of a whole fleet: what Prometheus has of all replicas, added up and judged as one model's traffic.

A process of its own, once per cluster. It asks for the counts of every pane, which are counters' differences and never
extrapolated, and feeds them to the engine that each exporter has for itself.
"""
