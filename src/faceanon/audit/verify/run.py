"""The audit of a whole run: every output, then all of them together."""

from collections.abc import Generator, Iterator
from functools import partial
from itertools import chain, islice

from faceanon.audit.verify.audit import Audited, audit
from faceanon.audit.verify.figures import Sample, figures
from faceanon.audit.verify.findings import Finding, Kind
from faceanon.audit.verify.pairing import Pair, Pairing
from faceanon.batch.engines.local import run_here, run_pool
from faceanon.batch.workers import Limits
from faceanon.pipeline.job import Outcome


class Verification:
    """The audit of a run, once.

    Args:
        pairing: which output belongs to which input.
        workers: how many outputs are audited at the same time.
        limits: what the audit of one may take, with two workers or more.
        max_pixels: refuse larger pictures.
    """

    def __init__(
        self, pairing: Pairing, workers: int, limits: Limits, max_pixels: int
    ) -> None:
        self._pairing = pairing
        self._workers = workers
        self._limits = limits
        self._work = partial(audit, max_pixels=max_pixels)
        self._sample = Sample()

    def outputs(self) -> Generator[Audited, None, None]:
        """The audit of each output, as they are done.

        Raises:
            FaceanonError: there are no pictures.
        """
        pairs = self._pairing.pairs()
        # How many there are is not known yet, but whether there are enough.
        first = list(islice(pairs, max(self._workers, 2)))
        workers = min(self._workers, len(first))
        pairs = chain(first, pairs)
        if workers > 1:
            outcomes = run_pool(pairs, self._work, workers, self._limits)
        else:
            outcomes = run_here(pairs, self._work)
        try:
            for outcome in outcomes:
                audited = _audited(outcome)
                for probe in audited.probes:
                    self._sample.add(probe)
                yield audited
        finally:
            outcomes.close()

    def together(self) -> Iterator[Finding]:
        """What is to be said of all outputs, when the last one was audited."""
        yield from self._pairing.findings
        yield from figures(self._sample.probes)


def _audited(outcome: Outcome) -> Audited:
    """The audit; that one did not come to its end is its finding."""
    if isinstance(outcome, Audited):
        return outcome
    pair = outcome.job
    assert isinstance(pair, Pair), "only pairs are audited"
    what = f"it was not audited: {outcome.error}"
    finding = Finding(Kind.NOT_COMPARED, True, what, pair.name, pair.output)
    return Audited(pair, outcome.status, findings=(finding,))
