"""One film out of clips: what is copied and what encoded, the file itself, captions, and an edit list for editors.

Nothing here buys, uploads or keeps anything. Clips are opened by a process of its own (`isolated/`), whose bytes are
written here. Storyboards, chains of shots and records are not made here.
"""
