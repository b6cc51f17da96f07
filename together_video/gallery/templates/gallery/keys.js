// One key for each frequent action. They act on the clip that has the focus or is under the mouse.

(() => {
  let hovered = null;
  document.addEventListener("pointerover", (event) => { hovered = clipOf(event.target) || null; });
  const current = () => lightbox.current() || clipOf(document.activeElement) || hovered;

  // The card above, below or beside, by position on the screen.
  const beside = (clip, key) => {
    const all = sifting.shown();
    if (key === "ArrowLeft" || key === "ArrowRight") return all[all.indexOf(clip) + (key === "ArrowRight" ? 1 : -1)];
    const from = clip.card.getBoundingClientRect();
    const down = key === "ArrowDown";
    const candidates = all.map((other) => ({ other, at: other.card.getBoundingClientRect() }))
      .filter(({ at }) => (down ? at.top >= from.bottom - 1 : at.bottom <= from.top + 1));
    const far = ({ at }) => Math.abs(at.top - from.top) * 10 + Math.abs(at.left - from.left);
    return candidates.length ? candidates.reduce((a, b) => (far(a) <= far(b) ? a : b)).other : undefined;
  };

  const onClip = {
    s: act.star,
    x: act.reject,
    n: act.note,
    v: (clip) => selection.toggle(clip),
    c: (clip, place) => menu.open(clip, place.querySelector("[data-do=menu]")),
    d: (clip, place) => { const save = place.querySelector("[data-do=save]"); if (save) save.click(); },
  };
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (target.closest("textarea, select, input:not([type=checkbox], [type=radio])")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const open = document.querySelector("dialog[open]");
    if (open && open.id !== "lightbox") return;
    const clip = current();
    if (event.key === "?" && !open) byId("help").showModal();
    else if (event.key === "/" && !open) byId("search").focus();
    else if (event.key === "p" && !open) sifting.nextProblem();
    else if (clip && onClip[event.key]) onClip[event.key](clip, open || clip.card);
    else if (!open && target === (clip && clip.card) && (event.key === "Enter" || event.key === " ")) act.play(clip);
    else if (!open && target === (clip && clip.card) && event.key.startsWith("Arrow")) {
      const next = beside(clip, event.key);
      if (!next) return;
      next.card.focus();
      next.card.scrollIntoView({ block: "nearest" });
    } else return;
    event.preventDefault();
  });
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  marks.changed(() => { if (byId("by-mark").value) sifting.start(); });
  marks.start();
  sifting.start();
})();
