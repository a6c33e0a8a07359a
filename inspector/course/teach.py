"""Take a reader through a lesson: say, wait, ask, show. What is said is made in `play`; who waits is the caller's."""

from collections.abc import Callable

from inspector.course import facts, play
from inspector.course.facts import Facts
from inspector.course.lesson import Lesson, Step
from inspector.course.play import Page, Shown
from inspector.course.world import World


class Teacher:
    """One reader's way through any number of lessons."""

    def __init__(
        self, page: Page, *, say: Callable[[str], None], pause: Callable[[], None], terminal: int | None = None
    ) -> None:
        """Take how to say something, and how to wait for the reader; `terminal` is its columns, if it is one."""
        self._page = page
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
        shown = world.ask(lesson, step, known)
        if shown.report is not None:
            known = Facts(known | facts.of_report(shown.report), page.word("unknown"))
        told = [*play.mismatches(step, shown.report, page)]
        self.otherwise += bool(told)
        self._say(f"\n{self._rendered(shown)}" + play.warned(told, page))
        self._pause()
        self._say(play.after(lesson, step, known, page))
        self._pause()
        self._say(play.answered(lesson, step, known, page))

    def _rendered(self, shown: Shown) -> str:
        page = self._page
        if shown.report is None:
            from inspector.render import topology_text

            return topology_text.render_text(
                shown.topology, width=page.width, coloured=page.coloured, terminal=self._terminal
            )
        from inspector.render import report_text

        return report_text.render_text(shown.report, width=page.width, coloured=page.coloured, lang=page.lang)
