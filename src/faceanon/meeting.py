"""The first of two runs over the same pictures: who is in more than one of them."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np

from faceanon.errors import FaceanonError
from faceanon.jobs import Job, Outcome
from faceanon.people.acquaintances import Acquaintances, met
from faceanon.plans import Pictures, Plan, Walk
from faceanon.settings import Settings

# Of the numbers by which a seed gives everybody another emoji.
_MANY = 1 << 31


@dataclass(frozen=True)
class _Unwritten:
    """The same pictures, to be looked at; what was not read yet is not in the way."""

    pictures: Pictures
    walk: Walk

    def jobs(self, walk: Walk) -> Iterator[Job]:
        for job in self.pictures.jobs(walk):
            if self.walk.stopped:
                return
            # What standard input holds can be read only once.
            if job.source is not None:
                yield replace(job, target=None, temporary=None)

    def count(self) -> int:
        return self.pictures.count()


def meet(
    plan: Plan,
    settings: Settings,
    run: Callable[[Plan, Settings], Generator[Outcome, None, None]],
    tell: Callable[[int], None],
) -> Acquaintances:
    """Look at all pictures of a plan, and tell the people in them apart.

    Embeddings are kept in memory only, 0.7 kB a face, until that is done. What fails
    here fails again in the run itself, which accounts for it.

    Args:
        plan: what is to be done; it is not touched.
        settings: how.
        run: runs a plan.
        tell: is told how many pictures were looked at.

    Raises:
        FaceanonError: the plan is a part of a run.
    """
    if plan.shard is not None:
        raise FaceanonError(
            "--consistent has to look at all pictures, and --shard takes a part of "
            "them; leave one of the two out"
        )
    looking = Plan(None, _Unwritten(plan.pictures, plan.walk), records=plan.records)
    detecting = replace(
        settings,
        method="detect",
        anonymizer=None,
        rename=None,
        selection=None,
        embeds=True,
    )
    seen = []
    for count, outcome in enumerate(run(looking, detecting), start=1):
        tell(count)
        seen += [
            (outcome.job.name, face.frame or 0, index, face.embedding)
            for index, face in enumerate(outcome.faces)
            if face.embedding
        ]
    # Pictures come in any order; people are numbered as in that of the names.
    seen.sort()
    first = 0
    if settings.seed is not None:
        first = int(np.random.default_rng(settings.seed).integers(_MANY))
    return met((np.frombuffer(one[-1], np.float32) for one in seen), first)
