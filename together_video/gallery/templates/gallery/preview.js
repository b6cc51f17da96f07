// Plays a few muted seconds of the clip under the mouse. Nothing is loaded before that.

const preview = (() => {
  const WAIT = 350; // milliseconds that the mouse must rest on it
  const LONGEST = 6000; // milliseconds that it plays
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let current = null;
  let timer;

  const stop = () => {
    clearTimeout(timer);
    if (!current) return;
    const { video } = current;
    current = null;
    video.pause();
    // Back to the poster.
    video.load();
  };
  const start = (clip) => {
    current = clip;
    clip.video.muted = true;
    clip.video.play().catch(() => {});
    timer = setTimeout(stop, LONGEST);
  };
  clips.filter((clip) => clip.src).forEach((clip) => {
    const frame = clip.card.querySelector(".frame");
    frame.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "mouse" || still.matches || document.querySelector("dialog[open]")) return;
      stop();
      timer = setTimeout(() => start(clip), WAIT);
    });
    frame.addEventListener("pointerleave", stop);
  });
  return { stop };
})();
