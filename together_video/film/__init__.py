"""Films: the storyboard, its plan and price, the requests of its shots, and the record of the finished film.

`storyboard`, `shots` and `shot_parts` are the models that a file or a form fills in, `reading` reads them, and `plan`
checks and prices them. `writing/` asks a chat model for a storyboard. Everything here is pure: clips are bought in
`tasks`, and `joining` cuts them into one file.
"""

from together_video.film.shot_parts import Audio, Transition
from together_video.film.shots import Shot
from together_video.film.storyboard import Captions, Cut, Look, Music, Storyboard

__all__ = ["Audio", "Captions", "Cut", "Look", "Music", "Shot", "Storyboard", "Transition"]
