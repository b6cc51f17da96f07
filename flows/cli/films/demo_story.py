"""The storyboard of the demo's film."""

STORY = """\
title: The keeper of the light
look: {style: "Paper-cut picture book, soft light."}
defaults: {model: ByteDance/Seedance-2.0, resolution: 480p, ratio: "16:9", seconds: 4}
shots:
  - prompt: Sunset over a calm sea, a lighthouse on its rock, its lamp is still dark. Dusk falls on the lighthouse.
    caption: The old keeper waits.
  - prompt: Dusk at the lighthouse by the calm sea. Night falls, and the lamp of the lighthouse is lit, closer now.
    continue: true
    caption: At night he lights the lamp.
  - prompt: Night, a ship in high waves, a lighthouse on the horizon. The beam of the lighthouse on the horizon.
    crossfade: 0.5
    caption: Far out, a ship sees it.
  - prompt: Night, the ship in high waves, the beam of a lighthouse on the horizon. At dawn the ship is home at
      the lighthouse, wide and calm. The ship stays home.
    continue: true
    caption: By dawn she is home.
cut: {fade_in: 1, fade_out: 1, captions: burned, music: {file: music.wav, gain_db: -4}, preset: veryfast}
"""
