"""Form choices: their values are known when a deployment is saved."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from prefect_together_video.flows.forms.form import USUAL

#: Shapes that most models make; `more.settings` takes any.
Shape = Literal["default", "16:9", "9:16", "1:1", "4:3", "3:4", "21:9"]
Quality = Literal["default", "preview", "standard", "production"]
Adherence = Literal["default", "creative", "balanced", "strict"]


class _Models:
    """Offered models that work from a prompt alone. They are read when the form is made, not on import."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        from together_video.catalogue import Catalogue

        fitting = [
            model.name
            for model in Catalogue.load().models
            if model.offered and not model.media.required and model.prompt.use != "unsupported"
        ]
        names = sorted(fitting, key=str.casefold)
        return {"type": "string", "enum": [USUAL, *names]}


ModelName = Annotated[str, _Models()]
