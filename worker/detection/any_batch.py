"""Several pictures in one run, and networks that were exported for one made to do that.

Exporters write the batch of 1 into the input's shape and into the shapes of Reshape. With the first dimension free
and those ones replaced by 0 ("as it came": https://onnx.ai/onnx/operators/onnx__Reshape.html) most convolutional
networks compute any number. The graph is changed in memory: file and digest stay what they are.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import onnxruntime as ort

from worker.detection.errors import ModelMismatch
from worker.detection.image import Image
from worker.detection.onnx_session import session

SIDE = 64  # a trial picture's, where the network takes any: a multiple of the strides in use
TOLERANCE = 1e-3


def by_size(pictures: Sequence[Image]) -> Iterable[list[int]]:
    """Positions of the pictures (H, W, 3) that have the same size and so fit into one run."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for position, picture in enumerate(pictures):
        sizes.setdefault(picture.shape, []).append(position)
    return sizes.values()


def batch_session(model: bytes, *, gpu: bool = False) -> ort.InferenceSession | None:
    """A session that computes any number of pictures at once.

    None if this network cannot: it does not load or run with two, or then finds something else than one by one.
    Raises ImportError without the package onnx.
    """
    changed = any_batch(model)
    try:
        several, single = session(changed, gpu=gpu), session(model, gpu=gpu)
    except ModelMismatch:
        return None
    return several if computes_several(several, single) else None


def any_batch(model: bytes) -> bytes:
    """The network with the first dimension of its inputs and outputs free. Not checked: see `batch_session`."""
    import onnx  # the extra worker-gpu alone brings it
    from onnx import numpy_helper

    network = onnx.load_from_string(model)
    graph = network.graph
    for value in (*graph.input, *graph.output):
        shape = value.type.tensor_type.shape
        if shape.dim:
            shape.dim[0].dim_param = "batch"
    constants = {constant.name: constant for constant in graph.initializer}
    for node in graph.node:
        if node.op_type != "Reshape" or node.input[1] not in constants:
            continue
        constant = constants[node.input[1]]
        shape_given = numpy_helper.to_array(constant)
        if shape_given.size and shape_given[0] == 1:
            free = np.concatenate([[0], shape_given[1:]]).astype(np.int64)
            constant.CopyFrom(numpy_helper.from_array(free, constant.name))
    del graph.value_info[:]  # the shapes in between, which hold no longer
    return bytes(network.SerializeToString())


def computes_several(several: ort.InferenceSession, single: ort.InferenceSession) -> bool:
    """Check that the one session gives for two different pictures together what the other gives for each alone."""
    (source,) = single.get_inputs()
    sides = [side if isinstance(side, int) else SIDE for side in source.shape[2:]]
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 3, *sides)).astype(np.float32)
    apart = [single.run(None, {source.name: picture[None]}) for picture in pictures]
    try:
        together = several.run(None, {source.name: pictures})
    except Exception:  # ONNX Runtime's errors share no base class
        return False
    return all(
        both.shape == (2, *one.shape[1:])
        and np.allclose(both, np.concatenate([one, other]), rtol=TOLERANCE, atol=TOLERANCE)
        for both, one, other in zip(together, *apart, strict=True)
    )
