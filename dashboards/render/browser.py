"""A browser without a window, told what to do through two pipes (the DevTools protocol); it is ended in the end."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any, Final

Json = dict[str, Any]
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe",
)  # fmt: skip
_FIRST_HEIGHT: Final = 300
_DRAWN: Final = "window.drawn.then(() => document.documentElement.scrollHeight)"


class Browser:
    """Its two pipes, and what was read of them."""

    def __init__(self, orders: int, answers: int) -> None:
        self.orders, self.answers = orders, answers
        self.session = ""
        self._read = bytearray()
        self._number = 0

    def call(self, method: str, **parameters: object) -> Json:
        """What it answers; RuntimeError with its words where it refuses."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": parameters}
        session = {"sessionId": self.session} if self.session else {}
        os.write(self.orders, json.dumps(order | session).encode() + b"\0")
        while (said := self._next()).get("id") != self._number:
            pass
        if "error" in said:
            raise RuntimeError(f"{method}: {said['error']['message']}")
        result: Json = said["result"]
        return result

    def _next(self) -> Json:
        """The next message: an answer, or something that happened."""
        while b"\0" not in self._read:
            part = os.read(self.answers, 1 << 16)
            if not part:
                raise RuntimeError("the browser ended")
            self._read += part
        text, _, self._read = self._read.partition(b"\0")
        message: Json = json.loads(text)
        return message

    def picture(self, url: str, width: int) -> tuple[bytes, str]:
        """A page as PNG at its full height, once it says that it is drawn, and its words."""
        self._size(width, _FIRST_HEIGHT)
        self.call("Page.navigate", url=url)
        height = self._evaluated(f"(async () => {{ while (!window.drawn) await new Promise((go) => setTimeout(go, 20));"
                                 f" return {_DRAWN}; }})()")  # fmt: skip
        self._size(width, height)
        shot = self.call("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        return base64.b64decode(shot["data"]), self._evaluated("document.body.innerText")

    def _size(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def _evaluated(self, script: str) -> Any:  # noqa: ANN401 (whatever the script returns)
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"].get("description", "the page failed"))
        return found["result"].get("value")


@contextlib.contextmanager
def opened() -> Iterator[Browser]:
    """A browser with an empty page. SystemExit where none is installed."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        raise SystemExit("no browser: install chromium")
    (theirs_in, orders), (answers, theirs_out) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        # It reads its orders from descriptor 3 and writes answers to 4.
        pipes = ["sh", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "sh"]
        command = [*pipes, program, *_FLAGS, f"--user-data-dir={home}"]
        running = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            page = Browser(orders, answers)
            target = page.call("Target.createTarget", url="about:blank")["targetId"]
            page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            yield page
        finally:
            os.close(orders)
            os.close(answers)
            running.terminate()
            running.wait(30)
