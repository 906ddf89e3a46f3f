"""The first pass of a run that tells people apart: who is in its pictures."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from faceanon.batch.control import Control
from faceanon.batch.engines import results_of
from faceanon.batch.planning.plan import Plan, WalkReport
from faceanon.batch.run_options import RunOptions
from faceanon.batch.work import Task
from faceanon.pipeline.job import Job
from faceanon.pipeline.steps import CollectIdentities
from faceanon.settings import Settings
from faceanon.vision.recognition.identities import Identities, ObservedPicture


def collect_identities(
    plan: Plan, settings: Settings, run_options: RunOptions, control: Control
) -> Identities:
    """The people in the pictures of a plan.

    All of INPUT is searched, whatever part of it is to be done: so all parts agree.
    What fails here fails in the run itself, too, and is told there.
    """
    pictures: dict[str, ObservedPicture] = {}
    results = results_of(
        _tasks(plan, control), CollectIdentities(settings), run_options
    )
    with closing(results):
        for result in results:
            for outcome in result.outcome.pictures():
                if outcome.observations and outcome.record is not None:
                    pictures[outcome.job.name] = ObservedPicture(
                        outcome.record.content, outcome.observations
                    )
                control.searched()
            if result.outcome.stop:
                break
    # Workers are done in any order, and folders are walked in any.
    in_order = (pictures[name] for name in sorted(pictures))
    return Identities.of(in_order, settings.pseudonyms, settings.pseudonym_seed)


def _tasks(plan: Plan, control: Control) -> Iterator[Task]:
    """The jobs of all pictures, to be searched only."""
    for job in plan.source.whole().jobs(WalkReport()):
        if control.is_stopped:
            return
        if isinstance(job, Job):
            yield Task(plan.with_records(replace(job, target=None, temporary=None)))
