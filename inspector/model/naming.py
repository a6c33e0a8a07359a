"""Find containers by the words people use for them: a name, the start of an id, or an address."""

from collections.abc import Iterable

from inspector.model.topology import Container

SHORT_ID = 12
"""Digits of an id that `docker ps` shows, that are a container's hostname, and that the embedded DNS knows."""


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
    from difflib import get_close_matches

    return tuple(get_close_matches(word, [each.name for each in containers], n=3, cutoff=0.5))


def called(containers: Iterable[Container], name: str) -> Container | None:
    """Return the running or stopped container a looked-up name means: its own, NAME.NETWORK, or its short id.

    The embedded DNS knows each of them, and takes no notice of case (measured on Engine 20.10 and 28.5).
    """
    word = name.rstrip(".").lower()
    known = tuple(containers)
    exact = next((each for each in known if word in {each.name.lower(), each.id[:SHORT_ID]}), None)
    return exact or next((each for each in known if word in _qualified(each)), None)


def _qualified(container: Container) -> set[str]:
    return {f"{container.name}.{endpoint.network}".lower() for endpoint in container.endpoints}


def _is_named(container: Container, word: str) -> bool:
    return word in {container.name, container.id}


def _starts_id(container: Container, word: str) -> bool:
    return len(word) >= 2 and container.id.startswith(word)  # noqa: PLR2004 - one hex digit is no name


def _has_address(container: Container, word: str) -> bool:
    return any(word in endpoint.addresses for endpoint in container.endpoints)
