"""Compiles the request path; everything else about the distribution is said in pyproject.toml.

mypyc makes C of the very sources that are interpreted otherwise: nothing is written twice, and a machine without a C
compiler gets the same program, whose relay costs a third more CPU time. `INFERENCE_EXPORTER_COMPILE` decides about
wheels: `1` (anything that stands in the way is an error), `0` (interpreted), unset (compiled where that is possible).
An editable install is never compiled: a source that is changed would go on as it was.

Where `SOURCE_DATE_EPOCH` is set, the same sources make the same archive to the byte, whoever makes it (wheels heed it
anyway).
"""

import gzip
import os
import sys
import tarfile

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

REQUEST_PATH = (
    "glance", "http11", "messages",
    "handoff/frames", "handoff/memory", "handoff/ring", "handoff/sampling", "handoff/tally",
    "proxy/backlog", "proxy/dispatch", "proxy/filters", "proxy/leg", "proxy/meter", "proxy/observer", "proxy/tap",
)  # fmt: skip
WISH = os.environ.get("INFERENCE_EXPORTER_COMPILE", "")
if WISH not in {"", "0", "1"}:
    raise SystemExit(f"INFERENCE_EXPORTER_COMPILE is {WISH!r}: it can be 0, 1 or nothing")


class BuildWherePossible(build_ext):
    """Leaves nothing behind where compiling fails: half of the modules would be worse than none."""

    def run(self) -> None:
        """Compile, or say why not."""
        try:
            super().run()
        except Exception as error:
            for path in filter(os.path.exists, self.get_outputs()):
                os.remove(path)
            if WISH == "1":
                raise
            print(f"the request path is not compiled: {error}", file=sys.stderr)
            self.extensions = []
            self.distribution.get_command_obj("bdist_wheel").root_is_pure = True


class SameEveryTime(sdist):
    """Writes into the archive neither who made it nor when."""

    def make_archive(self, base_name: str, form: str, base_dir: str | None = None, **others: str | None) -> str:
        """As ever, unless a time is given."""
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if epoch is None or form != "gztar":
            return super().make_archive(base_name, form, base_dir=base_dir, **others)

        def alike(member: tarfile.TarInfo) -> tarfile.TarInfo:
            mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            return member.replace(mtime=int(epoch), mode=mode, uid=0, gid=0, uname="", gname="", deep=False)

        path = f"{base_name}.tar.gz"
        with (
            open(path, "wb") as file,
            gzip.GzipFile("", "wb", mtime=int(epoch), fileobj=file) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
        ):
            archive.add(base_dir or os.curdir, filter=alike)
        return path


def extensions() -> list[Extension]:
    """What is to be compiled, translated to C."""
    if WISH == "0" or not {"bdist_wheel", "build_ext"} & set(sys.argv):
        return []
    try:
        from mypyc.build import mypycify

        paths = [f"exporter/{name}.py" for name in REQUEST_PATH]
        # What the modules' types mention and the building environment has not is nothing to the code.
        return mypycify(
            ["--ignore-missing-imports", *paths], opt_level="3", debug_level="0", group_name="inference_exporter"
        )
    except (Exception, SystemExit) as error:  # it exits where it finds a fault
        if WISH == "1":
            raise
        print(f"the request path is not compiled: {error}", file=sys.stderr)
        return []


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildWherePossible, "sdist": SameEveryTime})
