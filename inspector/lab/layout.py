"""The course's network as data: which containers, on which network, with which links."""

from msgspec import Struct

LABEL, COURSE = "dnetsniff.lab", "course"
"""What containers and networks made here carry; what does not carry it is never touched."""

IMAGE_LABEL = "dnetsniff.lab.image"
"""What the image made here carries. Another key: a container inherits the labels of its image, whoever runs it."""

RUN_LABEL = "dnetsniff.lab.run"
"""Tells what one `up` made from what another one did."""

GUEST_LABEL = "dnetsniff.lab.guest"
"""What a lesson starts beside the lab carries, with its own name: what is run from a commit of it has another one."""

NETWORK = "mynet"
SUBNET = "192.168.0.0/16"
DEFAULT_NETWORK = "bridge"


class Member(Struct, frozen=True):
    """One container of the course."""

    name: str
    network: str
    links: tuple[str, ...] = ()
    """Containers it is linked to, as by `docker run --link`."""


MEMBERS = (
    Member("tomcat01", DEFAULT_NETWORK),
    Member("tomcat02", DEFAULT_NETWORK),
    Member("tomcat03", DEFAULT_NETWORK, links=("tomcat01",)),
    Member("mynet-tomcat01", NETWORK),
    Member("mynet-tomcat02", NETWORK),
)
