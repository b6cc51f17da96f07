"""What people look at: the HTML pages of a batch or a film, spending pages, contact sheets, previews, and Markdown.

Each page is one self-contained file (`templates/` has its parts) with a policy that lets it load nothing else. Text of
others is cleaned here before it is shown (`public`, `public_text`, `plain_text`). Nothing here reads an archive, stores
a page or asks Prefect: `flows/reporting` does.
"""

from together_video.gallery.about import About
from together_video.gallery.links import relative_link
from together_video.gallery.page import render_gallery, render_pages
from together_video.gallery.rows import GalleryRow, marked
from together_video.gallery.spend_page import render_spend

__all__ = ["About", "GalleryRow", "marked", "relative_link", "render_gallery", "render_pages", "render_spend"]
