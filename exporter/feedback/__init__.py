"""Late truth: where it comes in, and where predictions wait for it.

desk      what is said to who posts, truth by truth; reading, record, seldon: what their bodies say
keeping   between stores and everybody else: bounded, nobody waits, what is lost is counted
carrying  the one thread that owns a store; buffer: what waits for it; ahead: what it has read for the loop; accounts
stores/   SHELF SQLite, memory, Redis, PostgreSQL: predictions and truths, joined exactly once
matching  what becomes of predictions and truths, by what is known of their keys: the rules of all stores
slots     what a server keeps under one key; packing: as bytes; doubts, answers: calls made again; password
files     what the command reads; sending: how it is posted; noted: how far that came
"""
