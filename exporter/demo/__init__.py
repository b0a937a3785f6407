"""The demonstration: a real model behind a server that knows nothing of us, real traffic, and a fault to find.

Everything runs on loopback, in processes of its own, and is ended at the end. Needs the extra `demo`.
"""
