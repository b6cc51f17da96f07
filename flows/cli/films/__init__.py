"""Commands for films: `film`, `storyboard`, and `demo --film`.

Here are the options, the table of a storyboard's shots, the question before a film is bought, and the use of a
review's marks for the next cut.
Not here: storyboards, plans and prices (`together_video/film`), and how a film is made (`flows/engine`).
"""
