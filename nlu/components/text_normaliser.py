"""How does the normalised text reach the rest of the pipeline?

Stands first in the pipeline and replaces the text itself, not a copy of it. So Rasa's RegexMessageHandler,
which runs last and obeys any text that begins with a slash, never sees one: not even a caller that forgot to
strip it can be answered with an intent of the visitor's choosing.
"""

from typing import Any, Dict, Final, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.normalisation import normalise

AS_WRITTEN: Final = "as_written"
"""Where the text stands as it came, with its lines; it is not part of the answer."""


# Rasa wires a component into its graph by these parameter names and these spellings of their types.
@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER], is_trainable=False)
class TextNormaliser(GraphComponent):
    """Replaces the text of every message by its normalised form."""

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "TextNormaliser":
        """Called by Rasa, for training and for parsing."""
        return cls()

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Called by Rasa while training."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Called by Rasa for each message."""
        for message in messages:
            text = message.get(TEXT)
            if text is not None:
                message.set(AS_WRITTEN, str(text))
                message.set(TEXT, normalise(str(text)), add_to_output=True)
        return messages
