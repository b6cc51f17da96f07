"""A storyboard written by a chat model: the brief, the chat requests, and how their answers are read.

`briefs` is what a person asks for, `chat` builds the requests, `answers` reads the answers, and `writing` asks again
until every shot is written. Nothing here sends a request or stores a result; `tasks/steps/storyboards.py` does.
"""
