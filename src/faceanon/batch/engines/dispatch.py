"""Jobs to outcomes, by the engine that is asked for."""

from collections.abc import Generator, Iterable
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice

from faceanon.batch.datasets.rewriting import perform
from faceanon.batch.engines.local import Item, run_here, run_pool
from faceanon.batch.isolated import PictureProcesses
from faceanon.batch.workers import Limits
from faceanon.pipeline.job import Job, Outcome
from faceanon.settings import RunOptions, Settings


def dispatched(
    items: Iterable[Item],
    settings: Settings,
    run_options: RunOptions,
    stack: ExitStack,
) -> Generator[Outcome, None, None]:
    """The outcomes of jobs.

    Args:
        items: jobs, taken as there is room, and outcomes to hand on.
        settings: what to do with each.
        run_options: with which engine, and how many at a time.
        stack: where that is put which has to be ended with the run.
    """
    rest = iter(items)
    # How many pictures there are is not known yet, but whether there are enough.
    first = list(islice(rest, max(run_options.workers, 2)))
    items = chain(first, rest)
    limits = Limits(run_options.timeout, run_options.max_memory)
    workers = min(run_options.workers, len(first))
    is_much = len(first) > 1 or any(_is_dataset(item) for item in first)
    if run_options.engine == "ray" and is_much:
        from faceanon.batch.engines.ray import Cluster, run_ray  # noqa: PLC0415  an extra

        cluster = Cluster(run_options.ray_address, run_options.workers)
        return run_ray(items, settings, cluster, limits)
    # Where there are fewer jobs than processors, dataset files take the others, too.
    count = run_options.workers // max(workers, 1)
    processes = stack.enter_context(PictureProcesses(settings, limits, count))
    work = partial(perform, settings=settings, processes=processes)
    if workers > 1:
        return run_pool(items, work, workers, limits)
    return run_here(items, work)


def _is_dataset(item: Item) -> bool:
    return (item if isinstance(item, Job) else item.job).is_dataset
