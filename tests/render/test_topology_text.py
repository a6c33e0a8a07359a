"""A tree shows what hangs on what, for every kind of network."""

from topologies import change_container, change_link, read

from inspector.model.topology import Published
from inspector.render.topology_json import to_dict
from inspector.render.topology_text import render_text

WORLD = read("shared-parent.toml")


def rows_of(name: str) -> list[str]:
    """Return the lines of one network, single spaces between their words."""
    text = render_text(WORLD)
    return [" ".join(line.split()) for line in text[text.index(f"{name}  ") :].partition("\n\n")[0].splitlines()]


def test_a_shared_parent_and_the_links_on_top_of_it() -> None:
    head, parent, *links = rows_of("lan")
    assert head == "lan macvlan 192.0.2.0/24 gateway 192.0.2.9"
    assert parent.startswith("on 2: eth0 192.0.2.100/24 mtu 1500")
    assert parent.endswith("2 links")
    assert [each.rsplit(" ", 1)[0].split(" 02:")[0] for each in links] == [
        "2: eth0 web 192.0.2.1/24 macvlan bridge",
        "2: eth0 db 192.0.2.2/24 macvlan bridge",
    ]


def test_an_ipvlan_network_says_its_mode() -> None:
    assert all("ipvlan l3" in each for each in rows_of("flat")[2:])


def test_a_network_with_a_parent_is_not_among_the_others() -> None:
    assert "other networks" not in render_text(WORLD)


def test_a_parent_that_is_down_is_said() -> None:
    assert "  DOWN" in render_text(change_link(WORLD, "host/eth0", up=False)).partition("\nlan  ")[2].splitlines()[1]


PUBLISHED = (
    Published("::", 8080, 80, "tcp"),
    Published("0.0.0.0", 8080, 80, "tcp"),
    Published("10.0.0.5", 53, 53, "udp"),
)


def test_published_ports_stand_by_themselves() -> None:
    world = change_container(WORLD, "web", published=PUBLISHED)
    told = render_text(world).partition("published ports\n")[2].partition("\n\n")[0].splitlines()
    assert told == ["  10.0.0.5:53 -> web:53/udp", "  0.0.0.0:8080 -> web:80/tcp", "  [::]:8080 -> web:80/tcp"]
    web = next(each for each in to_dict(world)["containers"] if each["name"] == "web")
    assert web["published"][2] == {"address": "10.0.0.5", "port": 53, "target": 53, "protocol": "udp"}
    assert "published ports" not in render_text(WORLD)


def test_json_names_parent_and_mode() -> None:
    told = to_dict(WORLD)
    lan = next(each for each in told["networks"] if each["name"] == "lan")
    assert lan["parent"] == {"sandbox": "host", "ifindex": 2}
    (link,) = [each for stack in told["sandboxes"] if stack["name"] == "web" for each in stack["links"][1:]]
    assert (link["parent"], link["mode"], link["peer"]) == (lan["parent"], "bridge", None)
