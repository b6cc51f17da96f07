"""The sandbox's chat model: it reads a request as a model would, and writes prompts or a storyboard about its subject.

`completions` is the endpoint, `wording` composes video prompts, and `storyboards` composes stories. Everything is drawn
from word lists with a seed. How the client asks and reads the answers is in `together_video/prompts` and
`together_video/film/writing`, which share no code with this package.
"""
