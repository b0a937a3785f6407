"""Windows on disk, so that a restart is no amnesia: written now and then, read once, never needed.

`image` is what a file holds, `clock` relates its moment to now, `directory` is the one place that touches files, and
`keeper` does it in a thread of its own. Whatever a disk does, the windows in memory go on.
"""
