"""What is asked does not grow with the containers that are none of its business: counted, not timed."""

from collections import Counter
from collections.abc import Callable

import pytest

from inspector import netns
from inspector.discover.engine import Engine
from inspector.discover.glance import glance
from inspector.discover.rtnetlink import Rtnetlink
from inspector.discover.survey import Stacks, survey

pytestmark = pytest.mark.docker

ENDS = ("dn-scale-0", "dn-scale-1")
FEW, MORE = range(3), range(3, 9)


@pytest.fixture
def asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count at the doors: requests to the engine, questions to the kernel, stacks that are entered."""
    counted: Counter[str] = Counter()

    def count(owner: object, name: str, word: str) -> None:
        work = getattr(owner, name)

        def counting(*words: object, **more: object) -> object:
            counted[word] += 1
            return work(*words, **more)

        monkeypatch.setattr(owner, name, counting)

    count(engine.api, "send", "engine")
    # A dump that something changed under is asked for again: that is no other question.
    for name in ("_listed", "link", "link_elsewhere", "namespace_number", "settings"):
        count(Rtnetlink, name, "kernel")
    count(netns, "_set_namespace", "entered")
    return counted


def counts(asked: Counter[str], work: Callable[[Stacks], object]) -> dict[str, int]:
    asked.clear()
    with Stacks() as stacks:
        work(stacks)
    return dict(asked)


def test_other_containers_add_no_question(
    engine: Engine, asked: Counter[str], extra: Callable[..., str], network: Callable[..., str]
) -> None:
    for name in ("dn-scale-net", "dn-scale-other"):
        network(name)

    def start(numbers: range) -> None:
        for number in numbers:
            # The two ends on one network, all others on another.
            extra(f"dn-scale-{number}", "--network", "dn-scale-net" if number < 2 else "dn-scale-other")

    start(FEW)
    engine.identity()
    before_trace = counts(asked, lambda stacks: survey(engine, stacks, ENDS))
    before_list = counts(asked, lambda stacks: glance(engine, stacks))
    start(MORE)
    after_trace = counts(asked, lambda stacks: survey(engine, stacks, ENDS))
    after_list = counts(asked, lambda stacks: glance(engine, stacks))
    # Two lists, and the process of each end.
    assert before_trace["engine"] == 4
    assert before_trace["entered"] == 3
    assert after_trace == before_trace
    # No question to the engine for a container. How many stacks there are is the engine's matter: it keeps those of
    # containers that are gone for a while.
    assert after_list["engine"] == before_list["engine"]
    for each in (before_list, after_list):
        assert each["kernel"] <= 8 * each["entered"]


def test_the_list_is_the_same_where_each_container_is_asked_for(engine: Engine, course: str) -> None:
    """What the kernel tells apart, and what the engine says of each process: the same stacks, links and routes."""
    with Stacks() as stacks:
        quick = glance(engine, stacks)
    with Stacks() as stacks:
        whole = survey(engine, stacks)
    assert quick.networks == whole.networks
    assert [(each.name, each.sandbox, each.mode, each.endpoints) for each in quick.containers] == [
        (each.name, each.sandbox, each.mode, each.endpoints) for each in whole.containers
    ]
    assert {(each.id, each.inode, each.routes, each.settings) for each in quick.sandboxes} == {
        (each.id, each.inode, each.routes, each.settings) for each in whole.sandboxes
    }
