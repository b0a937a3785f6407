"""The reference of every setting, as a file that can be used as it is."""

from exporter.config import every_key


def reference() -> str:
    """Every key with its help and default, as a YAML file that can be used as it is."""
    lines = ["# inference-exporter: every setting with its default. Flags win over environment variables,",
             "# environment variables over this file."]  # fmt: skip
    section = ""
    for key in every_key():
        head, _, word = key.name.rpartition(".")
        if head != section:
            lines += ["", f"{head}:"]
            section = head
        indent = "  " if head else ""
        value = f"{word}: {key.default}" if key.default is not None else f"# {word}:"
        lines += ["", f"{indent}# {key.help}", f"{indent}# {key.flag} or {key.environment}", indent + value]
    return "\n".join(lines) + "\n"
