"""What most people would write first: a reverse proxy on aiohttp that reads nothing and streams both ways.

Arguments: PORT UPSTREAM_URL.
"""

import sys
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"}


async def session(app: web.Application) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(app["upstream"], connector=connector, auto_decompress=False) as one:
        app["session"] = one
        yield


def kept(headers: "aiohttp.typedefs.LooseHeaders") -> dict[str, str]:
    return {name: value for name, value in dict(headers).items() if name.lower() not in HOP_BY_HOP}


async def relay(request: web.Request) -> web.StreamResponse:
    body = request.content if request.body_exists else None
    upstream = request.app["session"].request(request.method, request.path_qs, headers=kept(request.headers), data=body)
    async with upstream as answer:
        response = web.StreamResponse(status=answer.status, headers=kept(answer.headers))
        await response.prepare(request)
        async for part in answer.content.iter_any():
            await response.write(part)
        await response.write_eof()
        return response


def main() -> None:
    app = web.Application(client_max_size=1 << 40)
    app["upstream"] = sys.argv[2]
    app["session"] = None
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", relay)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
