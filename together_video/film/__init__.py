"""A film: shots that belong together, in an order, with what holds in all of them."""

from together_video.film.shot_parts import Audio, Transition
from together_video.film.shots import Shot
from together_video.film.storyboard import Captions, Cut, Look, Music, Storyboard

__all__ = ["Audio", "Captions", "Cut", "Look", "Music", "Shot", "Storyboard", "Transition"]
