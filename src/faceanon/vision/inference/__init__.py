"""Running the networks of `data/models/` on the CPU: OpenVINO, else OpenCV.

OpenVINO is several times faster. The environment variable `FACEANON_INFERENCE`,
"openvino" or "opencv", chooses; without it, OpenCV runs where OpenVINO is not
installed. Any number of threads may run a network at the same time.
"""

import os
from collections.abc import Generator, Sequence
from functools import cache
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from faceanon.errors import OptionError
from faceanon.vision.inference.opencv import OpenCVNetwork
from faceanon.vision.inference.openvino import OpenVINONetwork

Tensor: TypeAlias = NDArray[np.float32]
Outputs: TypeAlias = dict[str, Tensor]

T = TypeVar("T")

Inference: TypeAlias = Generator[Tensor, Outputs, T]
"""Work that a network has a part in: it yields inputs of one image, and is sent the
outputs, which it must have read when it yields again."""


class Network(Protocol):
    """A network ready to run: one input, its outputs by name.

    Attributes:
        batch: how many inputs of one shape are worth running at once.
    """

    batch: int

    def __call__(self, blob: Tensor) -> Outputs:
        """Run the network on inputs of one shape, in the layout that its file declares.

        The outputs are valid until the next call of the same thread.
        """


@cache
def load(name: str) -> Network:
    """Load `data/models/<name>` (ONNX or TFLite), once in a process.

    Raises:
        OptionError: `FACEANON_INFERENCE` is neither "openvino" nor "opencv".
        ImportError: it is "openvino", which is not installed.
    """
    engine = os.environ.get("FACEANON_INFERENCE", "")
    if engine not in ("", "openvino", "opencv"):
        raise OptionError(
            f"FACEANON_INFERENCE must be openvino or opencv, not {engine!r}; unset it "
            "to take the faster one"
        )
    if engine != "opencv":
        try:
            return OpenVINONetwork(name)
        except ImportError:
            if engine:
                raise
    return OpenCVNetwork(name)


def run_together(network: Network, works: Sequence[Inference[T]]) -> list[T]:
    """Do several works side by side, their inputs of one shape in batches.

    Returns:
        What each of them returned, in their order.
    """
    results: dict[int, T] = {}
    inputs: dict[int, Tensor] = {}

    def go_on(number: int, outputs: Outputs | None) -> None:
        try:
            work = works[number]
            inputs[number] = next(work) if outputs is None else work.send(outputs)
        except StopIteration as end:
            results[number] = end.value

    for number in range(len(works)):
        go_on(number, None)
    while inputs:
        first = next(iter(inputs.values()))
        alike = [n for n, blob in inputs.items() if blob.shape == first.shape]
        batch = alike[: network.batch]
        blobs = [inputs.pop(number) for number in batch]
        outputs = network(blobs[0] if len(blobs) == 1 else np.concatenate(blobs))
        if len(batch) > 1:
            # The first work may run the network again, which takes the outputs back.
            outputs = {name: tensor.copy() for name, tensor in outputs.items()}
        for index, number in enumerate(batch):
            one = slice(index, index + 1)
            go_on(number, {name: tensor[one] for name, tensor in outputs.items()})
    return [results[number] for number in range(len(works))]
