"""How do the entities that rules find reach Rasa's answer?

Stands first in the pipeline, before the text is normalised: a caller counts the signs of the text it sent.
"""

from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_ROLE,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    ENTITY_ATTRIBUTE_VALUE,
    EXTRACTOR,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message

from nlu.components.entities import EntityRules, Found


# Rasa wires a component into its graph by these parameter names and these spellings of their types.
@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=False)
class EntityFinder(GraphComponent):
    """Adds what the lists of nlu/entities find; they are read when a model is loaded, not in training."""

    def __init__(self, rules: EntityRules) -> None:
        """With lists that have been read."""
        self._rules = rules

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "EntityFinder":
        """Called by Rasa when it loads a model; raises ListsInvalid."""
        return cls(EntityRules.load())

    def process(self, messages: List[Message]) -> List[Message]:
        """Called by Rasa for each message."""
        for message in messages:
            text = message.get(TEXT)
            if text is not None:
                found = [self._as_rasa_writes_it(each) for each in self._rules.find(str(text))]
                message.set(ENTITIES, [*message.get(ENTITIES, []), *found], add_to_output=True)
        return messages

    def _as_rasa_writes_it(self, found: Found) -> Dict[str, Any]:
        entity = {
            ENTITY_ATTRIBUTE_TYPE: found.kind,
            ENTITY_ATTRIBUTE_VALUE: found.value,
            ENTITY_ATTRIBUTE_START: found.start,
            ENTITY_ATTRIBUTE_END: found.end,
            EXTRACTOR: type(self).__name__,
        }
        if found.whose is not None:
            entity[ENTITY_ATTRIBUTE_ROLE] = found.whose
        return entity
