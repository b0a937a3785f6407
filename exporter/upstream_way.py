"""How the model server that settings name is reached beside its clients: as the relay reaches it."""

from exporter import orders
from exporter.addresses import Place, is_tls, upstream_place
from exporter.config import Settings
from exporter.proxy import introduction, tls
from exporter.reaching import Way


def way_there(settings: Settings) -> Way | None:
    """None where no server is known. ConfigError where its certificates cannot be read."""
    route = settings.watched
    if route is None:
        return None
    preface = introduction.of_nobody(settings.upstream_proxy_protocol)
    context = tls.upstream_context(orders.upstream_tls(settings)) if is_tls(route) else None
    place = upstream_place(route)
    return Way(place, context, settings.upstream_tls.server_name or host(place), preface)


def host(place: Place) -> str:
    """The name of a server's host."""
    return place[0] if isinstance(place, tuple) else "localhost"
