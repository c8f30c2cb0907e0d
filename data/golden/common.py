"""What the golden programs share: a place to save arrays, and random numbers that are the same in every version.

A program NN_name.py is short. It names its chapter's seed and defines make(goldens):

    SEED = 3

    def make(goldens):
        x = goldens.input("x", goldens.normal(4, 7))        # read by the test, given to the code under test
        y = torch.nn.functional.silu(x)
        goldens.output("y", y)                              # what the code under test has to give
        (d_x,) = gradients(y, goldens.input("d_y", goldens.normal(4, 7)), x)
        goldens.output("d_x", d_x)

It leaves out checks of its own: that a test really compares every output is proven by tests/spoil_goldens.py.
"""

import numpy
import torch


class Goldens:
    """Collects the arrays of one chapter as .npy files: numbers as float64, counts and ids as int32."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.roles = {}  # name -> "input" or "output"
        # NumPy promises that the streams of RandomState never change; PyTorch promises no such thing.
        self.random = numpy.random.RandomState(seed)
        folder.mkdir(parents=True, exist_ok=True)

    def normal(self, *shape, scale=1.0):
        """Normal numbers as a float64 tensor that gradients can be asked of."""
        return torch.tensor(scale * self.random.standard_normal(shape), requires_grad=True)

    def input(self, name, values):
        """Saves what the code under test is given; returns it as a tensor."""
        return self._save(name, values, "input")

    def output(self, name, values):
        """Saves what the code under test has to give."""
        return self._save(name, values, "output")

    def _save(self, name, values, role):
        tensor = values if torch.is_tensor(values) else torch.as_tensor(values)
        array = tensor.detach().numpy()
        if name in self.roles:
            raise ValueError(f"two goldens are named {name}")
        if numpy.issubdtype(array.dtype, numpy.floating):
            if array.dtype != numpy.float64:
                raise ValueError(f"{name} is {array.dtype}: a golden is computed in float64")
        else:
            array = array.astype(numpy.int32)
        if role == "output" and not numpy.any(array):
            raise ValueError(f"{name} is zero everywhere, so it could not tell a right result from none")
        numpy.save(self.folder / f"{name}.npy", numpy.ascontiguousarray(array))
        self.roles[name] = role
        return tensor


def gradients(output, d_output, *inputs):
    """The gradients of sum(output * d_output) with respect to each of `inputs`, by automatic differentiation."""
    return torch.autograd.grad(output, inputs, d_output.detach(), retain_graph=True)
