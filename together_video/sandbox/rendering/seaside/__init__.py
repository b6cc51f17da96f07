"""Drawn pictures for prompts about a lighthouse and a ship, so that a film of them is worth watching.

`moments` reads the prompt, `colours`, `shapes`, `water` and `lamp` are the parts of the scene, `drawing` puts them into
frames, and `sounds` is the sea. Other prompts are not drawn: `rendering/picture.py` shows their words.
"""
