"""Drawn pictures for prompts about a lighthouse and a ship, so that a film of them is worth watching.

What the words mean, the colours, the shapes, the frames and the sound of the sea. No other prompt is drawn.
"""
