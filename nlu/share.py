"""How much should the meaning count against the spelling, where the encoder has not read the phrases?

Answered by cross-validation on the training phrases alone. The product's own share stands in config.yml
instead: its adapter has read the training phrases, so that this would trust the meaning too much, and the
share was chosen on authors left out (docs/adr/0012).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from sklearn.model_selection import KFold

from nlu.components.intent_model import IntentModel, Mix, Numbers

SHARES: Final = tuple(tenth / 10 for tenth in range(11))
FOLDS: Final = 5
SEED: Final = 20


def best_share(
    texts: Sequence[str], vectors: Numbers, intents: Sequence[str], *, mix: Mix, max_iter: int
) -> float:
    """The share in `SHARES` under which phrases that were left out are the least surprising.

    `texts` are normalised, `vectors` theirs, of shape (texts, 384).
    """
    surprise = np.zeros(len(SHARES))
    known = dict(zip(texts, vectors, strict=True))
    for learnt, tested in KFold(FOLDS, shuffle=True, random_state=SEED).split(vectors):
        model = IntentModel.fit(
            [texts[index] for index in learnt],
            vectors[learnt],
            [intents[index] for index in learnt],
            max_iter=max_iter,
        )
        # An intent whose only phrases are left out cannot be guessed under any share.
        possible = [index for index in tested if intents[index] in model.intents]
        wanted = [model.intents.index(intents[index]) for index in possible]
        for number, share in enumerate(SHARES):
            rows = model.guess(
                [texts[index] for index in possible],
                encode=lambda some: np.array([known[text] for text in some]),
                # The meaning is always asked, since it is what is weighed here.
                mix=replace(mix, meaning=share, sure=1.0),
            )
            surprise[number] -= np.log(np.maximum(rows[range(len(possible)), wanted], 1e-12)).sum()
    return SHARES[int(surprise.argmin())]
