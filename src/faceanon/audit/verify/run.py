"""The audit of a whole run: every output, then all of them together."""

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import chain, islice

from faceanon.audit.verify.audit import Audited, AuditWork
from faceanon.audit.verify.figures import Sample, figures
from faceanon.audit.verify.findings import Finding
from faceanon.audit.verify.pairing import Pairing
from faceanon.batch.engines.local import run_local
from faceanon.batch.workers import Limits


class Verification:
    """The audit of a run, once.

    Args:
        pairing: which output belongs to which input.
        workers: how many outputs are audited at the same time.
        limits: what the audit of one may take.
        max_pixels: refuse larger pictures.
    """

    def __init__(
        self, pairing: Pairing, workers: int, limits: Limits, max_pixels: int
    ) -> None:
        self._pairing = pairing
        self._workers = workers
        self._limits = limits
        self._work = AuditWork(max_pixels)
        self._sample = Sample()

    def outputs(self) -> Generator[Audited, None, None]:
        """The audit of each output, as they are done.

        Raises:
            FaceanonError: there are no pictures.
        """
        pairs = self._pairing.pairs()
        # How many there are is not known yet, but whether there are enough.
        first = list(islice(pairs, self._workers))
        workers = max(len(first), 1)
        all_pairs = chain(first, pairs)
        with closing(
            run_local(all_pairs, self._work, workers, self._limits)
        ) as outputs:
            for audited in outputs:
                for probe in audited.probes:
                    self._sample.add(probe)
                yield audited

    def whole_run_findings(self) -> Iterator[Finding]:
        """What is to be said of all outputs, when the last one was audited."""
        yield from self._pairing.findings
        yield from figures(self._sample.probes)
