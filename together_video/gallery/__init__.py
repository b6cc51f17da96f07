"""The page that shows what was made: outcomes and records as one HTML file."""

from together_video.gallery.cards import GalleryRow
from together_video.gallery.links import relative_link
from together_video.gallery.page import render_gallery

__all__ = ["GalleryRow", "relative_link", "render_gallery"]
