"""Number the queries of a lookup, and the sockets they leave from."""

from msgspec import Struct, field

from inspector.model.dns import Transport
from inspector.model.lookup import Query


class Numbering(Struct):
    """What has been sent so far. `identifiers` were drawn beforehand, and come round again when they are used up.

    libc repeats a question under the identifier it had; here each query has its own, so that a frame on the wire tells
    which query it belongs to.
    """

    identifiers: tuple[int, ...]
    queries: int = 0
    sockets: int = 0
    sent: dict[tuple[str, str, str, Transport], int] = field(default_factory=dict)

    def socket(self) -> int:
        """Open another socket."""
        self.sockets += 1
        return self.sockets

    def query(self, name: str, kind: str, server: str, transport: Transport, socket: int) -> Query:
        """Make the next query."""
        question = (name, kind, server, transport)
        self.sent[question] = self.sent.get(question, 0) + 1
        self.queries += 1
        return Query(
            number=self.queries,
            name=name,
            type=kind,
            server=server,
            transport=transport,
            identifier=self.identifiers[(self.queries - 1) % len(self.identifiers)],
            attempt=self.sent[question],
            socket=socket,
        )
