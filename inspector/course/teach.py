"""Take a reader through a lesson: say, wait, ask, show. What is said is made in `play`; who waits is the caller's."""

from collections.abc import Callable

from msgspec import Struct

from inspector import loading
from inspector.course import facts, play
from inspector.course.facts import Facts
from inspector.course.lesson import Lesson, Step
from inspector.course.play import Page, Shown
from inspector.course.world import World
from inspector.languages import catalogue
from inspector.model.recording import Recording
from inspector.model.sentence import ENGLISH
from inspector.model.topology import Topology
from inspector.pipeline import THINKING, review
from inspector.render import name_line, names_text, report_text, topology_text  # noqa: F401 - what report_text asks for


class Concluded(Struct, frozen=True):
    """What thinking about a step comes to."""

    text: str
    """The report, or the tree of `ls`, as the reader reads it."""
    facts: dict[str, str]
    otherwise: tuple[str, ...]
    """What the run has otherwise than the lesson says."""


Alone = Callable[[Callable[[], Concluded], type[Concluded]], Concluded]
"""How the thinking is done: a function that returns what it is given returns."""


def _here(work: Callable[[], Concluded], _kind: type[Concluded]) -> Concluded:
    return work()


class Teacher:
    """One reader's way through any number of lessons."""

    def __init__(
        self,
        page: Page,
        *,
        say: Callable[[str], None],
        pause: Callable[[], None],
        terminal: int | None = None,
        alone: Alone = _here,
    ) -> None:
        """Take how to say something, and how to wait for the reader; `terminal` is its columns, if it is one.

        Thinking is done `alone`: it opens and loads nothing.
        """
        self._page = page
        self._alone = alone
        self._say = say
        self._pause = pause
        self._terminal = terminal
        self.otherwise = 0
        """How many steps ended otherwise than their lesson says."""

    def teach(self, lesson: Lesson, world: World, where: str) -> None:
        """Play a lesson from its first line to its last."""
        self._say(play.opening(lesson, where, self._page))
        for step in lesson.steps:
            self._step(lesson, step, world)
        # After an interruption it is left undisturbed: that is the business of who opened the world.
        world.leave()
        self._say(play.closing(lesson, self._page))

    def _step(self, lesson: Lesson, step: Step, world: World) -> None:
        page = self._page
        known = Facts(world.prepare(lesson, step), page.word("unknown"))
        self._say(play.before(lesson, step, known, page))
        self._pause()
        asked = world.ask(lesson, step, known)
        concluded = self._concluded(step, asked)
        known = Facts(known | concluded.facts, page.word("unknown"))
        self.otherwise += bool(concluded.otherwise)
        self._say(f"\n{concluded.text}" + play.warned(concluded.otherwise, page))
        self._pause()
        self._say(play.after(lesson, step, known, page))
        self._pause()
        self._say(play.answered(lesson, step, known, page))

    def _concluded(self, step: Step, asked: Topology | Recording) -> Concluded:
        page = self._page
        if isinstance(asked, Topology):
            text = topology_text.render_text(asked, width=page.width, coloured=page.coloured, terminal=self._terminal)
            return Concluded(text, {}, ())

        def work() -> Concluded:
            report = review(asked)
            text = report_text.render_text(report, width=page.width, coloured=page.coloured, lang=page.lang)
            return Concluded(text, facts.of_report(report), tuple(play.mismatches(step, report, page)))

        load(page)
        return self._alone(work, Concluded)


def think(asked: Topology | Recording) -> Shown:
    """Return what is to be shown of an answer."""
    if isinstance(asked, Topology):
        return Shown(asked, None)
    return Shown(asked.topology, review(asked))


def load(page: Page) -> None:
    """Load all that thinking about a step and writing it needs: a confined process can load nothing."""
    loading.load(*THINKING)
    page.word("unknown")
    if page.lang != ENGLISH:
        catalogue(page.lang)
