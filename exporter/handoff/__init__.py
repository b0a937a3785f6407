"""The one door between processes: bounded, lossy, counted. Memory that outlives whoever writes it.

The supervisor creates every block of memory as a memfd and hands the descriptor down; nobody holds a lock, so
nobody can die holding one. A full ring refuses at once and the refusal is counted; nothing here ever waits.
`ledger` needs numpy and is imported by the analyser alone.
"""
