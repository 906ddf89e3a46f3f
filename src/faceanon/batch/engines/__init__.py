"""Who does the jobs: worker processes of this machine, or a Ray cluster."""

from collections.abc import Callable, Generator, Iterable
from itertools import chain, islice

from faceanon.batch.engines.local import Known, run_local
from faceanon.batch.ledgers.bucket import BucketLedger
from faceanon.batch.run_options import RunOptions
from faceanon.batch.work import JobWork, Result, Task
from faceanon.batch.workers import Limits
from faceanon.pipeline.job import Job
from faceanon.pipeline.progress import Progress
from faceanon.pipeline.steps import Step


def results_of(
    items: Iterable[Task | Known[Result]],
    step: Step,
    run_options: RunOptions,
    ledger: BucketLedger | None = None,
    on_progress: Callable[[Job, Progress], object] = lambda *_: None,
) -> Generator[Result, None, None]:
    """What comes of jobs, by the engine that is asked for.

    Args:
        items: tasks, taken as there is room, and results to hand on.
        step: what to do with each.
        run_options: with which engine, and how many at a time.
        ledger: of a bucket that outputs are put into; None for other places.
        on_progress: hears how far films have come, in any thread; not of a cluster.
    """
    rest = iter(items)
    # How many there are is not known yet, but whether there are enough.
    first = list(islice(rest, max(run_options.workers, 2)))
    items = chain(first, rest)
    limits = Limits(run_options.timeout, run_options.max_memory)
    tasks = [item for item in first if isinstance(item, Task)]
    has_datasets = any(task.job.is_dataset for task in tasks)
    if run_options.engine == "ray" and (len(first) > 1 or has_datasets):
        from faceanon.batch.engines.ray import Cluster, run_ray  # noqa: PLC0415  an extra

        cluster = Cluster(run_options.ray_address, run_options.workers)
        return run_ray(items, JobWork(step, limits, ledger), cluster, limits)
    workers = max(min(run_options.workers, len(first)), 1)
    # Where there are fewer jobs than processors, dataset files and films take the
    # others, too.
    work = JobWork(step, limits, ledger, run_options.workers // workers)
    return run_local(
        items,
        work,
        workers,
        limits,
        lambda task, progress: on_progress(task.job, progress),
    )
