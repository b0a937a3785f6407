"""Mergeable summaries. Counts are integers and only ever added, so order, batching and sharding do not matter."""
