"""Joins clips into one film: decides what to copy and what to encode, writes the file, captions, and an edit list.

A separate process opens the clips (`isolated/`) and sends the film's bytes, which `join` writes to disk. Nothing here
buys, uploads or archives anything. Storyboards and the records of films are in `film`.
"""
