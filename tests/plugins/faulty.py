"""A plug-in method that goes wrong in the ways that code of others can."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faceanon.anonymizers import Anonymizer
from faceanon.model import Cover, Face, Image
from faceanon.options import option


@dataclass(frozen=True)
class Faulty(Anonymizer):
    """Paint the whole picture black, but go wrong on pictures of a certain width."""

    fault: str = option(
        "raise",
        "What goes wrong.",
        choices=("raise", "kill", "crash", "hang", "memory", "shape", "slow"),
    )
    seconds: float = option(0.3, "How long it takes when it is slow.", minimum=0)
    width: int = option(1, "The width of pictures on which it does.", minimum=0)

    def hide(
        self,
        image: Image,
        faces: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Image:
        if self.fault == "slow":
            # What another run left is done soon, by the same settings.
            if "FAULTY_HURRY" not in os.environ:
                time.sleep(self.seconds)
        elif image.shape[1] == self.width:
            match self.fault:
                case "raise":
                    raise ZeroDivisionError("a fault\nof two lines")
                case "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "crash":
                    os.abort()
                case "hang":
                    time.sleep(3600)
                case "memory":
                    return np.ones((20_000, 20_000, 30), np.uint8)
                case "shape":
                    return image[:-1]
        return np.zeros_like(image)
