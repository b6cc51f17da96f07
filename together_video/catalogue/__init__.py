"""The models as data: what each takes, what it costs, and whether a request fits it."""

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.checks import check
from together_video.catalogue.pricing import Estimate, estimate, total
from together_video.catalogue.review import Review

__all__ = ["Catalogue", "Estimate", "Review", "check", "estimate", "total"]
