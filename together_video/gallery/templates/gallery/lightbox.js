// One clip in the whole window, with all its details. Arrow keys and swipes lead to the others.

const lightbox = (() => {
  const dialog = byId("lightbox");
  const video = dialog.querySelector("video");
  const lack = dialog.querySelector(".lack");
  let clip = null;

  const fill = () => {
    const all = sifting.shown();
    dialog.querySelector(".place").textContent = `${all.indexOf(clip) + 1} of ${all.length}`;
    dialog.dataset.marks = clip.index;
    const about = clip.card.querySelector(".body").cloneNode(true);
    about.classList.add(clip.card.classList[1]); // the state, which has a colour
    about.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
    about.querySelectorAll(".whole.prompt").forEach((whole) => { whole.open = true; });
    dialog.querySelector(".about-clip").replaceChildren(about);
    dialog.querySelector(".actions").replaceChildren(...toolsFor(clip, ".stamp", ".tools"));
    video.hidden = !clip.src;
    lack.hidden = Boolean(clip.src);
    lack.textContent = clip.src ? "" : clip.card.querySelector(".void p").textContent;
    if (clip.src) {
      video.poster = clip.video.poster;
      video.src = clip.src;
      video.play().catch(() => {});
    } else {
      video.removeAttribute("src");
      video.load();
    }
    marks.show(clip);
  };
  const open = (which) => {
    preview.stop();
    clip = which;
    if (!dialog.open) dialog.showModal();
    fill();
    (clip.src ? video : dialog.querySelector(".close")).focus();
  };
  const turn = (step) => {
    const all = sifting.shown();
    const next = all[all.indexOf(clip) + step];
    if (next) open(next);
  };

  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-turn]");
    if (button) turn(Number(button.dataset.turn));
    // In the lightbox it is already playing: the button restarts it.
    if (event.target.closest(".actions [data-do=play]")) video.currentTime = 0;
  });
  // Before the video's own keys, which would seek in it.
  dialog.addEventListener("keydown", (event) => {
    if (event.target.closest("textarea, input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      event.stopPropagation();
      turn(step);
    } else if (event.key === " " && !event.target.closest("button, a, summary, video")) {
      event.preventDefault();
      if (video.paused) video.play().catch(() => {}); else video.pause();
    }
  }, true);
  let from = null;
  dialog.addEventListener("touchstart", (event) => { from = event.touches.length === 1 ? event.touches[0] : null; }, { passive: true });
  dialog.addEventListener("touchend", (event) => {
    if (!from) return;
    const to = event.changedTouches[0];
    const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY];
    if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) turn(x < 0 ? 1 : -1);
  });
  dialog.addEventListener("close", () => {
    if (dialog.open) return; // opened again meanwhile
    video.pause();
    const last = clip;
    clip = null;
    delete dialog.dataset.marks;
    if (last) last.card.focus();
  });
  return { open, current: () => (dialog.open ? clip : null) };
})();
