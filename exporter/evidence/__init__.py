"""Evidence of drift that pages: clipped likelihood ratios that add up over panes, with a promise of how rarely in vain.

Counts in, nats out: no clock, no I/O. Whoever has pane counts can use it, of one exporter or of a whole fleet.
"""
