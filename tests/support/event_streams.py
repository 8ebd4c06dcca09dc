"""Event streams as a client reads them."""

import json


def frames_of(client, path="/events/stream", **options):
    """The frames of a stream: id and events, for as long as they are asked for."""
    with client.stream("GET", path, **options) as answer:
        assert answer.status_code == 200
        id_, data = None, None
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                id_ = int(value)
            elif name == "data":
                data = json.loads(value)
            elif not line and id_ is not None:
                yield id_, data or []
                id_, data = None, None
