"""What did the encoder learn about children's messages beyond what it came with?

A low-rank correction of some of its matrices, weights + up @ down, as in LoRA (Hu et al. 2021). `nlu.tune`
makes it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from nlu.components.encoder_file import Array

ADAPTER: Final = Path(__file__).parents[1] / "encoder" / "adapter.npz"


@dataclass(frozen=True)
class Adapter:
    """The corrections of layers' matrices, by layer and name of the matrix."""

    #: Of each: `up` of shape (outputs, rank) and `down` of shape (rank, inputs).
    corrections: dict[tuple[int, str], tuple[Array, Array]] = field(default_factory=dict)

    def applied(self, weights: Array, *, layer: int, name: str) -> Array:
        """The corrected matrix; the matrix itself where nothing was learnt."""
        if (layer, name) not in self.corrections:
            return weights
        up, down = self.corrections[layer, name]
        return weights + up @ down

    def save(self, path: Path) -> None:
        """Write it in half precision."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = {}
        for (layer, name), (up, down) in self.corrections.items():
            parts[f"{layer}.{name}.up"] = up.astype(np.float16)
            parts[f"{layer}.{name}.down"] = down.astype(np.float16)
        np.savez(path, **parts)

    @classmethod
    def load(cls, path: Path) -> "Adapter":
        """Read what `save` wrote; without the file, an adapter that changes nothing."""
        if not path.is_file():
            return cls()
        with np.load(path, allow_pickle=False) as parts:
            names = sorted({name.rpartition(".")[0] for name in parts.files})
            return cls(
                {
                    (int(name.split(".")[0]), name.split(".")[1]): (
                        parts[f"{name}.up"].astype(np.float32),
                        parts[f"{name}.down"].astype(np.float32),
                    )
                    for name in names
                }
            )
