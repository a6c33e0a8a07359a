"""The course's network as data."""

from ipaddress import IPv4Network

from inspector.lab.layout import DEFAULT_NETWORK, MEMBERS, NETWORK, SUBNET


def test_the_five_names_of_the_course() -> None:
    names = [each.name for each in MEMBERS]
    assert names == ["tomcat01", "tomcat02", "tomcat03", "mynet-tomcat01", "mynet-tomcat02"]


def test_three_on_the_default_bridge_and_two_on_a_network_of_their_own() -> None:
    assert [each.network for each in MEMBERS] == [DEFAULT_NETWORK] * 3 + [NETWORK] * 2


def test_one_link_and_its_target_is_made_before_it() -> None:
    links = {each.name: each.links for each in MEMBERS if each.links}
    assert links == {"tomcat03": ("tomcat01",)}
    order = [each.name for each in MEMBERS]
    for name, targets in links.items():
        assert all(order.index(target) < order.index(name) for target in targets)


def test_the_subnet_is_the_course_s_and_private() -> None:
    assert IPv4Network(SUBNET) == IPv4Network("192.168.0.0/16")
    assert IPv4Network(SUBNET).is_private
