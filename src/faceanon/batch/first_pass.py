"""The first pass of a run that tells people apart: who is in its pictures."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

from faceanon.batch.engines.dispatch import dispatched
from faceanon.batch.planning.plan import Plan, Walk
from faceanon.pipeline.job import Job
from faceanon.settings import CENSUS, RunOptions, Settings
from faceanon.vision.recognition.identities import Crowd, Scene


def take(plan: Plan, settings: Settings, run_options: RunOptions) -> Crowd:
    """The people in the pictures of a plan.

    All of INPUT is looked at, whatever part of it is to be done: so all parts agree.
    What fails here fails in the run itself, too, and is told there.
    """
    scenes: dict[str, Scene] = {}
    looking = replace(settings, method=CENSUS)
    with ExitStack() as stack:
        outcomes = dispatched(_jobs(plan), looking, run_options, stack)
        for outcome in stack.enter_context(closing(outcomes)):
            for picture in outcome.pictures():
                if picture.sights:
                    scene = Scene(picture.content, picture.sights)
                    scenes[picture.job.name] = scene
                plan.walk.looked_at()
            if outcome.stop:
                break
    # Workers are done in any order, and folders are walked in any.
    in_order = (scenes[name] for name in sorted(scenes))
    return Crowd.of(in_order, settings.disguises, settings.seed)


def _jobs(plan: Plan) -> Iterator[Job]:
    """The jobs of all pictures, to be looked at only."""
    for job in plan.pictures.whole().jobs(Walk()):
        if plan.walk.stopped:
            return
        if not job.problem:
            yield plan.with_records(replace(job, target=None, temporary=None))
