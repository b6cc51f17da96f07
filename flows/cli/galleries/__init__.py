"""Commands that show videos to people: `gallery` and `share`.

Here is the choice of videos, the download of their files, and what can be sent to others: ZIP files, contact
sheets, previews, shared pages and links.
Not here: the pages themselves (`together_video/gallery`), and the gallery that each batch writes into the archive
(`flows/reporting`).
"""
