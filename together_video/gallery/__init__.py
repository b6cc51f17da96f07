"""The pages that show what was made: outcomes and records as HTML files."""

from together_video.gallery.about import About
from together_video.gallery.links import relative_link
from together_video.gallery.page import render_gallery, render_pages
from together_video.gallery.rows import GalleryRow, marked
from together_video.gallery.spend_page import render_spend

__all__ = ["About", "GalleryRow", "marked", "relative_link", "render_gallery", "render_pages", "render_spend"]
