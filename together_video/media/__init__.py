"""Media files: what a request names, what a download gives, and whether either is what it should be.

`sources` and `references` say where the media of a request are, `files` and `link_checks` check them before anything is
paid, `clips` checks downloads, and `posters` and `stills` make small pictures. `isolation/` opens every file from
outside. Nothing here uploads, downloads or buys; `joining` makes films.
"""
