"""What stands at the paths of a node's port."""

from nodes.wire.host import NodeHost
from nodes.wire.listener import Answered, Route


def messages_route(host: NodeHost) -> Route:
    """Envelopes for a node."""

    def call(body: bytes) -> Answered:
        taken = host.take(body)
        return taken.status, taken.body

    return call
