"""Late truth: where it comes in, and where predictions wait for it.

reading   a POST's body → truths: single, batches, lines, Seldon's
matching  what becomes of predictions and truths, by what is known of their keys
stores/   SHELF SQLite, memory, Redis, PostgreSQL: predictions and truths, joined exactly once
sqlite_file, sqlite_statements  the database of one of them
keeping   between them and everybody else: bounded, nobody waits, what is lost is counted
carrying  the one thread that owns a store; buffer: what waits for it; ahead: what it has read for the loop; accounts
desk      what is said to who posts, truth by truth
"""
