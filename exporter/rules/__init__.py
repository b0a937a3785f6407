"""The recording rules and alerts that are shipped, and copies of them with other thresholds.

`alert_rules/sources/` has the rules as people write them, `alert_rules/values.yml` every number that is a matter of
taste, `pooled` the rules that are the same for each bin count; `rendering` makes of these the files of `alert_rules/`.
"""
