"""The models as data: what each takes, what it costs, and whether a request fits.

`catalogue.json` has the facts with their sources. Around it: checks, prices, fitting a request to another model, the
user's own file, and the comparison with the API's own lists.
Nothing here sends a request or spends money. The request model is in `requests`, the command `models` in `flows`.
"""

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.checks import check
from together_video.catalogue.pricing import Estimate, estimate, total
from together_video.catalogue.review import Review

__all__ = ["Catalogue", "Estimate", "Review", "check", "estimate", "total"]
