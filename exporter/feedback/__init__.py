"""Late truth: where it comes in, and where predictions wait for it.

reading   a POST's body → truths: single, batches, lines, Seldon's
matching  what becomes of predictions and truths, by what is known of their keys
stores/   SHELF SQLite, memory, Redis, PostgreSQL: predictions and truths, joined exactly once
sqlite_file, sqlite_statements  the database of one of them
keeping   one thread between them and everybody else: bounded, nobody waits, what is lost is counted
desk      what is said to who posts, truth by truth
"""
