"""Find containers by the words people use for them: a name, the start of an id, or an address."""

from collections.abc import Iterable
from difflib import get_close_matches

from inspector.model.topology import Container


def find_containers(containers: Iterable[Container], word: str) -> tuple[Container, ...]:
    """Return the containers the word may mean: an exact name wins over the start of an id, that over an address."""
    known = tuple(containers)
    for test in (_is_named, _starts_id, _has_address):
        found = tuple(each for each in known if test(each, word))
        if found:
            return found
    return ()


def nearest_names(containers: Iterable[Container], word: str) -> tuple[str, ...]:
    """Return up to three container names that look like the word."""
    return tuple(get_close_matches(word, [each.name for each in containers], n=3, cutoff=0.5))


def _is_named(container: Container, word: str) -> bool:
    return word in {container.name, container.id}


def _starts_id(container: Container, word: str) -> bool:
    return len(word) >= 2 and container.id.startswith(word)  # noqa: PLR2004 - one hex digit is no name


def _has_address(container: Container, word: str) -> bool:
    return any(word in endpoint.addresses for endpoint in container.endpoints)
