"""Late truth: where it comes in, and where predictions wait for it.

reading   a POST's body → truths: single, batches, lines, Seldon's
stores/   SHELF SQLite, memory, Redis, PostgreSQL: predictions and truths, joined exactly once
keeping   one thread between them and everybody else: bounded, nobody waits, what is lost is counted
desk      what is said to who posts, truth by truth
"""
