"""What was expected has a line of its own only where the wire disagreed, or where everything is asked for."""

from topologies import delivered, planned, read, recorded, sent

from inspector.pipeline import review
from inspector.render.report_json import to_dict
from inspector.render.report_text import render_text

WORLD = read("two-networks.toml")
HEALTHY = review(delivered(WORLD, planned(WORLD, "web", "db")))
STOPPED = review(recorded(WORLD, planned(WORLD, "web", "api"), probes=(sent(),), request=3, reply=0))


def test_a_screen_without_surprises_is_calm() -> None:
    text = render_text(HEALTHY)
    assert "expected" not in text
    assert "what the stacks go by" not in text


def test_everything_is_shown_where_it_is_asked_for() -> None:
    text = render_text(HEALTHY, verbose=True)
    assert "expected delivered (same network: docker0 would switch it" in text
    assert "what the stacks go by\n  web/eth0: up, mtu 1500\n" in text


def test_a_difference_is_told_with_its_points() -> None:
    text = " ".join(render_text(STOPPED).split())
    assert "expected delivered (different networks: the host would route it; firewall rules not consulted)" in text
    assert "; not seen:" not in text, "the ladder says it"
    assert all(len(line) <= 80 for line in render_text(STOPPED, width=80, verbose=True).splitlines())


def test_the_json_has_all_of_it() -> None:
    document = to_dict(STOPPED)
    assert document["prediction"]["outcome"] == "delivered"
    assert document["prediction"]["why"].endswith("firewall rules not consulted")
    assert [each["kind"] for each in document["disagreements"]] == ["outcome", "not-seen", "not-seen", "not-seen"]
    assert document["state"][0] == {"text": "web/eth0: up, mtu 1500", "evidence": ["web/eth0"]}
    assert to_dict(HEALTHY)["disagreements"] == []
    assert to_dict(review(recorded(WORLD, planned(WORLD, "web", "gone"))))["prediction"] is None
