"""Payloads that somebody has recorded: how they would be read, and what map they need. They stay on this machine."""
