"""The request path, and nothing but it: bytes are forwarded first and looked at later.

Nothing here may raise into the relay, wait for the analyser, or hold more memory than its bounds say.
"""
